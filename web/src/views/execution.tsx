// One execution, or a further piece of a long one.
import { useComputed, useSignal } from "@preact/signals";
import { Component } from "preact";

import { copy, copyOutput } from "../clipboard.ts";
import { clock, duration } from "../format.ts";
import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import type { ExecutionView } from "../session.ts";
import { CodeText } from "./code_text.tsx";
import { Elapsed } from "./elapsed.tsx";
import { Frames } from "./frames.tsx";
import { OutputItem } from "./output_item.tsx";
import { sameSegment, type Segment } from "./segments.ts";

interface Props {
  segment: Segment;
  open: OpenSession;
}

export class ExecutionSegment extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    return !sameSegment(this.props.segment, next.segment);
  }

  override render({ segment, open }: Props) {
    const { execution, items, offset, first, last } = segment;
    return (
      <article class={`execution status-${execution.status} ${first ? "first" : ""}`}
        data-testid={first ? "execution" : "execution-more"} data-execution={execution.execution}
        data-number={execution.number} data-status={execution.status}>
        {first && <Code execution={execution} open={open} />}
        {first && <Frames execution={execution} open={open} />}
        {items.map((item, index) => (
          <OutputItem key={offset + index} item={item} execution={execution} open={open} />
        ))}
        {last && <End execution={execution} />}
      </article>
    );
  }
}

const LINES_SHOWN = 30;
const LINES_WHEN_CUT = 20;

function Code({ execution, open }: { execution: ExecutionView; open: OpenSession }) {
  const whole = useSignal(false);
  const lines = execution.code.split("\n");
  const cut = !whole.value && lines.length > LINES_SHOWN;
  const code = cut ? lines.slice(0, LINES_WHEN_CUT).join("\n") : execution.code;
  const selected = open.selected.value === execution.execution;
  const running = useComputed(() => runningLine(open, execution)).value;
  return (
    <div class={`part ${selected ? "selected" : ""}`}>
      <div class="prompt"><span class="number">In[{execution.number}]</span></div>
      <div class="body">
        <div class="code-line">
          <pre class="code" data-testid="code"><CodeText code={code} running={running} /></pre>
          <Meta execution={execution} open={open} />
          <Tools execution={execution} open={open} />
        </div>
        {cut && (
          <button class="link" onClick={() => { whole.value = true; }}>
            … {lines.length - LINES_WHEN_CUT} more lines · show
          </button>
        )}
      </div>
    </div>
  );
}

/** The line of this code that runs now: of the innermost function, or the one that leads there. */
function runningLine(open: OpenSession, { execution }: ExecutionView): number | null {
  const { line, running } = open;
  if (!line.value || !running.value) return null;
  if (line.value.execution === execution) return line.value.line;
  return running.value.execution === execution ? line.value.calls : null;
}

/** For the mouse; the keys e, y and o do the same where an execution is selected in the transcript. */
function Tools({ execution, open }: { execution: ExecutionView; open: OpenSession }) {
  return (
    <span class="execution-tools">
      {open.editing.value && (
        <button class="small" tabIndex={-1} title="Put the code into the editor (e)" data-testid="execution-edit"
          onClick={() => open.replaceCode(execution.code)}>Edit</button>
      )}
      <button class="small" tabIndex={-1} title="Copy the code (y)" data-testid="execution-copy"
        onClick={() => attempt(() => copy(execution.code, "Code copied."))}>Copy code</button>
      <button class="small" tabIndex={-1} title="Copy the output (o)" data-testid="execution-copy-output"
        onClick={() => attempt(() => copyOutput(open.executionNow(execution)))}>Copy output</button>
    </span>
  );
}

function Meta({ execution, open }: { execution: ExecutionView; open: OpenSession }) {
  const { status, author, script, started_at, queued_at, duration_ms } = execution;
  return (
    <span class="meta">
      {script && <span class="file" title={`${script.kind} ${script.path}, version ${script.version}`}
        data-testid="script-file">{script.path}</span>}
      {author && <span class="author">{author}</span>}
      <time dateTime={started_at ?? queued_at}>{clock(started_at ?? queued_at)}</time>
      <span class="outcome" data-testid="status">
        {status === "running" && <><span class="spinner" role="img" aria-label="running" /><Elapsed open={open} since={started_at} /></>}
        {status === "queued" && <span class="queued">queued</span>}
        {status === "ok" && <span class="took">{took(duration_ms)}</span>}
        {SIGNS[status] && <span class="failed">{SIGNS[status]} {took(duration_ms)}</span>}
      </span>
    </span>
  );
}

const SIGNS: Record<string, string> = {
  error: "✕", interrupted: "◼", cancelled: "–", died: "✝", timeout: "◷",
};

const ENDS: Record<string, string> = {
  interrupted: "Interrupted.",
  cancelled: "Not run: it was still waiting.",
  died: "The process died while this ran.",
  timeout: "Stopped: a limit of time was reached.",
};

function End({ execution }: { execution: ExecutionView }) {
  const text = ENDS[execution.status];
  if (!text) return null;
  return (
    <div class="part">
      <div class="prompt" />
      <p class={`end-mark ${execution.status}`} data-testid="end-mark">{text}</p>
    </div>
  );
}

function took(ms: number | null): string {
  return ms === null ? "" : duration(ms);
}
