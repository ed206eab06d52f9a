// One value close up: its whole text, and how it came to be.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { clock } from "../format.ts";
import type { Calls, Path } from "../messages.ts";
import { attempt, inform, reportError } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { pythonExpression } from "../paths.ts";
import { Modal } from "./modal.tsx";

type Change = Calls["variable.history"]["reply"]["changes"][number];

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
  const copy = async () => {
    await navigator.clipboard.writeText(text.value ?? "");
    inform("Copied.");
  };
  return (
    <Modal title={expression} name="variable" wide>
      <pre class="whole-text" tabIndex={0} data-testid="variable-repr">{text.value ?? "…"}</pre>
      <div class="modal-actions"><button onClick={() => attempt(copy)}>Copy</button></div>
      {changes.value.length > 0 && <Changes open={open} changes={changes.value} />}
    </Modal>
  );
}

function Changes({ open, changes }: { open: OpenSession; changes: readonly Change[] }) {
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
