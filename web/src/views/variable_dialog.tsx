// One value close up: its whole text, and how it came to be.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { copy, copyPath } from "../clipboard.ts";
import { clock } from "../format.ts";
import type { Calls, Path } from "../messages.ts";
import { attempt, reportError } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { pythonExpression } from "../paths.ts";
import { closeDialog, Modal } from "./modal.tsx";

export type Change = Calls["variable.history"]["reply"]["changes"][number];

const CHANGES = 50;

export function VariableDialog({ open, path }: { open: OpenSession; path: Path }) {
  const expression = pythonExpression(path);
  const text = useSignal<string | null>(null);
  const changes = useSignal<readonly Change[]>([]);
  const name = String(path[0]);
  useEffect(() => {
    open.call("variable.repr", { path }).then((reply) => { text.value = reply.text; })
      .catch((error: Error) => { text.value = error.message; });
    if (path.length === 1) {
      open.call("variable.history", { name, limit: CHANGES })
        .then((reply) => { changes.value = reply.changes; }).catch(reportError);
    }
  }, []);
  return (
    <Modal title={expression} name="variable" wide>
      <WholeText text={text.value} />
      <div class="modal-actions">
        {open.editing.value && (
          <button data-testid="variable-watch" onClick={() => {
            closeDialog();
            attempt(() => open.call("watch.add", { expression }));
          }}>Watch</button>
        )}
        <button data-testid="copy-path" onClick={() => attempt(() => copyPath(path))}>Copy path</button>
        <button data-testid="copy-value" disabled={text.value === null}
          onClick={() => attempt(() => copy(text.value ?? "", "Value copied."))}>Copy value</button>
      </div>
      {changes.value.length > 0 && <Changes open={open} changes={changes.value} />}
    </Modal>
  );
}

// More than this at once would hold up the page.
const SHOWN_LENGTH = 200_000;

function WholeText({ text }: { text: string | null }) {
  const shown = useSignal(SHOWN_LENGTH);
  const rest = (text?.length ?? 0) - shown.value;
  return (
    <div class="whole-text" tabIndex={0} role="region" aria-label="Whole text">
      <pre data-testid="variable-repr">{text === null ? "…" : text.slice(0, shown.value)}</pre>
      {rest > 0 && (
        <button class="link" data-testid="repr-more" onClick={() => { shown.value += SHOWN_LENGTH; }}>
          … {rest.toLocaleString("en")} more characters · show more
        </button>
      )}
    </div>
  );
}

export function Changes({ open, changes }: { open: OpenSession; changes: readonly Change[] }) {
  const number = (execution: string | null) =>
    open.session.value?.executions.find((each) => each.execution === execution)?.number;
  return (
    <>
      <h3>Changes</h3>
      <table class="changes" data-testid="variable-history">
        <tbody>
          {changes.map(({ seq, time, execution, line, preview }) => (
            <tr key={seq}>
              <td class="quiet">{clock(time)}</td>
              <td class="quiet">{number(execution) !== undefined && `In[${number(execution)}]`}
                {line ? `, line ${line}` : ""}</td>
              <td><code>{preview ?? "deleted"}</code></td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
