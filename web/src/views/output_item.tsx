// One piece of what an execution has shown.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

import { toCodePoints } from "../code_points.ts";
import { bytes, count } from "../format.ts";
import type { OpenSession } from "../open_session.ts";
import { settleLines, type ErrorItem, type GapItem, type Item, type TextItem } from "../outputs.ts";
import type { ExecutionView } from "../session.ts";
import { AnsiText } from "./ansi_text.tsx";
import { InputPrompt } from "./input_prompt.tsx";
import { OutputReader } from "./output_reader.tsx";
import { RichOutput } from "./rich_output.tsx";

interface Props {
  item: Item;
  execution: ExecutionView;
  open: OpenSession;
}

export function OutputItem({ item, execution, open }: Props) {
  switch (item.kind) {
    case "text":
      return <Part><Text item={item} /></Part>;
    case "gap":
      return <Part><Gap item={item} execution={execution} open={open} /></Part>;
    case "rich":
      return (
        <Part label={item.result ? `Out[${execution.number}]` : ""}>
          <RichOutput bundle={item.bundle} result={item.result} />
        </Part>
      );
    case "error":
      return <Part><Traceback item={item} /></Part>;
    case "input":
      return <Part><InputPrompt item={item} open={open} /></Part>;
    case "omitted":
      return <Part><Omitted bytesLeftOut={item.bytes} execution={execution} open={open} /></Part>;
  }
}

function Part({ label = "", children }: { label?: string; children: ComponentChildren }) {
  return (
    <div class="part">
      <div class="prompt">{label && <span class="number out">{label}</span>}</div>
      <div class="body">{children}</div>
    </div>
  );
}

function Text({ item: { name, text, style } }: { item: TextItem }) {
  const settled = settleLines(text);
  // A <pre> gives the last line feed a line of its own, which the terminal does not.
  const drawn = settled.endsWith("\n") ? settled.slice(0, -1) : settled;
  return (
    <pre class={`stream ${name}`} data-testid="stream" data-name={name}>
      <AnsiText text={drawn} style={style} />
    </pre>
  );
}

function Gap({ item, execution, open }: { item: GapItem; execution: ExecutionView; open: OpenSession }) {
  return (
    <>
      <Hidden text={`${bytes(item.hiddenBytes)} not shown`} execution={execution} open={open} />
      {item.tail.map((piece, index) => <Text key={index} item={piece} />)}
      {item.lostBytes > 0 && (
        <p class="gap-note lost">… and {bytes(item.lostBytes)} more that were too much to keep: the limit of output is reached. Print less, or keep it in a variable.</p>
      )}
      {item.lostDisplays > 0 && (
        <p class="gap-note lost">{count(item.lostDisplays, "display")} left out: too many to keep</p>
      )}
    </>
  );
}

function Omitted({ bytesLeftOut, execution, open }: {
  bytesLeftOut: number; execution: ExecutionView; open: OpenSession;
}) {
  const text = `Output left out of this first picture (${bytes(bytesLeftOut)})`;
  return <Hidden text={text} execution={execution} open={open} />;
}

function Hidden({ text, execution, open }: { text: string; execution: ExecutionView; open: OpenSession }) {
  const reading = useSignal(false);
  return (
    <>
      <p class="gap-note" data-testid="output-gap">
        … {text} ·{" "}
        <button class="link" aria-expanded={reading.value} data-testid="output-show"
          onClick={() => { reading.value = !reading.value; }}>{reading.value ? "hide" : "show"}</button>
      </p>
      {reading.value && <OutputReader open={open} execution={execution.execution} from={charactersBeforeGap(execution)} />}
    </>
  );
}

function charactersBeforeGap({ items }: ExecutionView): number {
  const gap = items.findIndex((item) => item.kind === "gap" || item.kind === "omitted");
  return items.slice(0, Math.max(0, gap)).reduce((sum, item) =>
    sum + (item.kind === "text" ? toCodePoints(item.text, item.text.length) : 0), 0);
}

const TRACEBACK_LINES = 24;

function Traceback({ item: { name, message, traceback } }: { item: ErrorItem }) {
  const whole = useSignal(false);
  const lines = traceback.length ? traceback : [`${name}: ${message}`];
  const cut = !whole.value && lines.length > TRACEBACK_LINES;
  const shown = cut ? [lines[0] ?? "", ...lines.slice(-(TRACEBACK_LINES - 1))] : lines;
  return (
    <div class="error-output" data-testid="error" data-name={name}>
      {cut && (
        <button class="link" onClick={() => { whole.value = true; }}>
          … {lines.length - TRACEBACK_LINES} more lines of the traceback · show
        </button>
      )}
      <pre class="traceback" tabIndex={0} role="group" aria-label="Traceback">
        <AnsiText text={shown.slice(0, -1).map((line) => `${line.replace(/\n$/, "")}\n`).join("")} />
        <span class="last"><AnsiText text={shown.at(-1) ?? ""} /></span>
      </pre>
    </div>
  );
}
