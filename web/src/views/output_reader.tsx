// All that an execution printed, page by page from the server.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { StreamPart } from "../messages.ts";
import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { settleLines } from "../outputs.ts";
import { AnsiText } from "./ansi_text.tsx";
import { Icon, type IconName } from "./icons.tsx";

const PAGE = 20_000; // code points: a few hundred lines

interface Props {
  open: OpenSession;
  execution: string;
  from: number; // where what is hidden begins, in code points
}

export function OutputReader({ open, execution, from: beginning }: Props) {
  const offset = useSignal(0);
  const total = useSignal<number | null>(null);
  const chunks = useSignal<readonly StreamPart[]>([]);
  const read = async (from: number) => {
    const start = Math.max(0, from);
    const reply = await open.call("output.read", { execution, offset: start, limit: PAGE });
    offset.value = start;
    total.value = reply.total;
    chunks.value = reply.chunks;
  };
  useEffect(() => attempt(() => read(beginning)), []);
  const end = Math.min(offset.value + PAGE, total.value ?? 0);
  const lastStart = Math.floor(Math.max(0, (total.value ?? 0) - 1) / PAGE) * PAGE;
  const turn = (title: string, to: number, possible: boolean, icon: IconName) => (
    <button class="small" title={title} aria-label={title} disabled={!possible}
      onClick={() => attempt(() => read(to))}><Icon name={icon} filled /></button>
  );
  return (
    <div class="reader" data-testid="output-reader" data-total={total.value ?? ""}>
      <div class="reader-bar">
        {turn("Beginning", 0, offset.value > 0, "first")}
        {turn("Back", offset.value - PAGE, offset.value > 0, "back")}
        {turn("On", offset.value + PAGE, end < (total.value ?? 0), "play")}
        {turn("End", lastStart, end < (total.value ?? 0), "last")}
        <input type="range" min={0} max={lastStart} step={1} value={offset.value} aria-label="Place in the output"
          onChange={(event) => attempt(() => read(Number(event.currentTarget.value)))} />
        <span class="quiet">
          {total.value === null ? "reading…"
            : `${offset.value.toLocaleString("en")} to ${end.toLocaleString("en")} of ${total.value.toLocaleString("en")} characters`}
        </span>
      </div>
      <div class="reader-text" tabIndex={0}>
        {chunks.value.map(({ name, text }, index) => (
          <pre key={index} class={`stream ${name}`}><AnsiText text={settleLines(text)} /></pre>
        ))}
      </div>
    </div>
  );
}
