// One variable close up: its whole value, which line last wrote it, and all that it has been.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import { copy, copyPath } from "../clipboard.ts";
import { clock, visible } from "../format.ts";
import type { Path } from "../messages.ts";
import { attempt } from "../notices.ts";
import { OpenHistory } from "../open_history.ts";
import type { OpenSession } from "../open_session.ts";
import { dialog } from "../page.ts";
import { pythonExpression } from "../paths.ts";
import { facts, place, type Point } from "../variable_history.ts";
import { ChangeList } from "./change_list.tsx";
import { DifferenceView } from "./difference_view.tsx";
import { CodeText } from "./code_text.tsx";
import { ExecutionLink } from "./execution_link.tsx";
import { closeDialog, Modal } from "./modal.tsx";
import { Scrubber } from "./scrubber.tsx";

export function VariablePage({ open, path }: { open: OpenSession; path: Path }) {
  const expression = pythonExpression(path);
  return (
    <Modal title={visible(expression)} name="variable" page>
      <Now open={open} path={path} />
      {path.length === 1 ? <History open={open} name={String(path[0])} /> : <OfTheWhole name={String(path[0])} />}
    </Modal>
  );
}

function Now({ open, path }: { open: OpenSession; path: Path }) {
  const { text, isWhole } = useValueNow(open, path);
  return (
    <section class="value-now" aria-label="Value now">
      <WholeText text={text} />
      <div class="modal-actions">
        {open.editing.value && (
          <button data-testid="variable-watch" onClick={() => {
            closeDialog();
            attempt(() => open.call("watch.add", { expression: pythonExpression(path) }));
          }}>Watch</button>
        )}
        <button data-testid="copy-path" onClick={() => attempt(() => copyPath(path))}>Copy path</button>
        <button data-testid="copy-value" disabled={!isWhole} title={isWhole ? "" : "The whole value is read when nothing runs"}
          onClick={() => attempt(() => copy(text ?? "", "Value copied."))}>Copy value</button>
      </div>
    </section>
  );
}

/** The whole text, which Python writes when nothing runs; until then a variable's preview, as it changes. */
function useValueNow(open: OpenSession, path: Path): { text: string | null; isWhole: boolean } {
  const whole = useSignal<string | null>(null);
  const variable = open.session.value?.variables.get(String(path[0]));
  const waits = path.length === 1 && open.running.value !== null;
  const version = variable?.version ?? null;
  useEffect(() => {
    whole.value = null;
    if (waits || version === null) return;
    let isCurrent = true;
    const show = (text: string) => { if (isCurrent) whole.value = text; };
    open.call("variable.repr", { path }).then((reply) => show(reply.text)).catch((error: Error) => show(error.message));
    return () => { isCurrent = false; };
  }, [waits, version]);
  if (version === null) return { text: "It does not exist at the moment.", isWhole: false };
  if (whole.value !== null) return { text: whole.value, isWhole: true };
  return { text: path.length === 1 ? variable?.preview ?? null : null, isWhole: false };
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

/** Changes are told of variables as a whole. */
function OfTheWhole({ name }: { name: string }) {
  return (
    <p class="quiet">
      The record has the changes of <code>{visible(name)}</code> as a whole:{" "}
      <button class="link" data-testid="history-of-whole"
        onClick={() => { dialog.value = { kind: "variable", path: [name] }; }}>history of {visible(name)}</button>
    </p>
  );
}

function History({ open, name }: { open: OpenSession; name: string }) {
  const history = useMemo(() => new OpenHistory(open, name), []);
  useEffect(() => history.follow(), []);
  const points = history.points.value;
  const last = points.at(-1);
  if (!last) {
    return (
      <p class="quiet" data-testid="history-empty">
        {history.reading.value ? "Reading its history…"
          : "No change of it is recorded: it came with the session when that was restored, imported or forked."}
      </p>
    );
  }
  return (
    <>
      <LastWritten open={open} point={last} />
      <Facts history={history} />
      <div class="history">
        <section class="history-place" aria-label="History">
          <Scrubber open={open} history={history} />
          <DifferenceView history={history} />
        </section>
        <ChangeList open={open} history={history} />
      </div>
    </>
  );
}

function LastWritten({ open, point }: { open: OpenSession; point: Point }) {
  const deleted = point.op === "delete";
  const code = useMemo(() => lineOf(open, point), [point.execution, point.line]);
  return (
    <p class="last-written" data-testid="last-written">
      {point.execution === null ? (deleted ? "Deleted by hand" : "Last set by hand") : (
        <>
          {deleted ? "Deleted by" : point.line === null ? "Last changed by" : "Last written by"}{" "}
          {point.line !== null && <>line {point.line} of </>}
          <ExecutionLink open={open} point={point} />
          {point.line === null && <span class="quiet"> · in place, or too often to tell the line</span>}
        </>
      )}
      <span class="quiet"> · {[point.author, clock(point.time)].filter(Boolean).join(", ")}</span>
      {code && <code class="written-code" data-testid="written-code"><CodeText code={code} /></code>}
    </p>
  );
}

/** The line itself, where the execution is among those that are loaded. */
function lineOf(open: OpenSession, { execution, line }: Point): string | null {
  if (execution === null || line === null) return null;
  const found = open.session.peek()?.executions.findLast((each) => each.execution === execution);
  return found?.code.split("\n")[line - 1]?.trim().slice(0, LINE_LENGTH) ?? null;
}

const LINE_LENGTH = 200;

function Facts({ history }: { history: OpenHistory }) {
  const found = useComputed(() => facts(history.points.value)).value;
  if (found.length === 0) return null;
  return (
    <ul class="facts" aria-label="When it first became something else">
      {found.map(({ title, point }) => (
        <li key={title}>
          <button class="small" data-testid="history-fact" title="Show that change" aria-pressed={history.point.value?.seq === point.seq}
            onClick={() => history.look(history.points.value.indexOf(point))}>
            <strong>{title}</strong> {[place(point), clock(point.time)].filter(Boolean).join(" · ")}
          </button>
        </li>
      ))}
    </ul>
  );
}
