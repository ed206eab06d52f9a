// Where running code is: its line in words, and on request its frames with their local variables.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { visible } from "../format.ts";
import type { Frame, RunningLine } from "../messages.ts";
import type { OpenSession } from "../open_session.ts";
import type { ExecutionView } from "../session.ts";

const REFRESH_MS = 500;

export function Frames({ execution, open }: { execution: ExecutionView; open: OpenSession }) {
  const isRunning = useComputed(() => open.running.value?.execution === execution.execution).value;
  const shown = useSignal(false);
  if (!isRunning || !open.line.value) return null;
  return (
    <div class="part">
      <div class="prompt" />
      <div class="body running-place">
        <span class="quiet" data-testid="running-place">{placeText(open.line.value)}</span>
        <button class="link" data-testid="frames-open" aria-expanded={shown.value}
          onClick={() => { shown.value = !shown.value; }}>{shown.value ? "Hide frames" : "Frames and locals"}</button>
        {shown.value && <FrameList open={open} />}
      </div>
    </div>
  );
}

function placeText({ number, line, function: name, calls }: RunningLine): string {
  const inside = name === null ? "" : ` in ${visible(name)}`;
  const from = name !== null && calls !== null && calls !== line ? `, called by line ${calls}` : "";
  return `▶ In[${number}], line ${line}${inside}${from}`;
}

function FrameList({ open }: { open: OpenSession }) {
  const frames = useSignal<readonly Frame[] | null>(null);
  const omitted = useSignal(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isGone = false;
    const ask = async () => {
      try {
        const reply = await open.call("frames", {});
        frames.value = reply.frames;
        omitted.value = reply.omitted ?? 0;
      } catch {
        // It is asked again soon, and not any more when the code has ended.
      }
      if (!isGone) timer = setTimeout(() => void ask(), REFRESH_MS);
    };
    void ask();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, []);
  if (!frames.value) return <p class="quiet">Waiting for the next safe point…</p>;
  return (
    <ol class="frames" data-testid="frames">
      {frames.value.map((frame, index) => <FrameRow key={index} frame={frame} />)}
      {omitted.value > 0 && <li class="quiet">{omitted.value.toLocaleString("en")} frames of a recursion are left out</li>}
    </ol>
  );
}

function FrameRow({ frame: { name, file, number, line, locals } }: { frame: Frame }) {
  return (
    <li data-testid="frame" data-name={name} class={number === null ? "library" : ""}>
      <code class="frame-name">{visible(name)}</code>{" "}
      <span class="quiet">{number === null ? visible(file) : `In[${number}]`}{line === null ? "" : `, line ${line}`}</span>
      {locals.length > 0 && (
        <dl>
          {locals.map(({ name: local, preview, type }) => (
            <div key={local} data-testid="frame-local" data-name={local}>
              <dt title={visible(type)}>{visible(local)}</dt><dd>{preview}</dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}
