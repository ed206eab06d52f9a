// HTML of a session: drawn in a sandbox without origin, so that it reaches neither page nor server.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { MimeBundle } from "../messages.ts";
import { dialog } from "../page.ts";
import { MessageCount, readMessage, type ToSandbox } from "../sandbox.ts";
import { useDark } from "./dark.ts";

const heights = new WeakMap<MimeBundle, number>();

export function HtmlFrame({ bundle, html }: { bundle: MimeBundle; html: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const ready = useRef(false);
  const [height, setHeight] = useState(heights.get(bundle) ?? 40);
  const [stopped, setStopped] = useState(false);
  const count = useRef(new MessageCount());
  const dark = useDark();
  const message: ToSandbox = { html, dark };
  const current = useRef(message);
  current.current = message;
  const send = () => frame.current?.contentWindow?.postMessage(current.current, "*");
  useLayoutEffect(() => {
    const received = (event: MessageEvent) => {
      if (!frame.current || event.source !== frame.current.contentWindow) return;
      if (count.current.isTooMany(event.timeStamp)) {
        setStopped(true);
        return;
      }
      const said = readMessage(event.data);
      if (said?.kind === "ready") {
        ready.current = true;
        send();
      } else if (said?.kind === "height") {
        heights.set(bundle, said.height);
        setHeight(said.height);
      } else if (said?.kind === "link" && !dialog.peek() && isClickedIn(frame.current)) {
        dialog.value = { kind: "link", address: said.address };
      }
    };
    addEventListener("message", received);
    return () => removeEventListener("message", received);
  }, []);
  useEffect(() => { if (ready.current) send(); }, [dark]);
  if (stopped) {
    return <p class="gap-note" data-testid="html-stopped">… this HTML was stopped: it kept the page busy with messages</p>;
  }
  return (
    <iframe ref={frame} class="html-frame" onLoad={send} title="HTML output" sandbox="allow-scripts" src="output.html"
      referrerpolicy="no-referrer" data-testid="html-output" style={{ height: `${height}px` }} />
  );
}

/** A person has just pressed something, and it was in there: script alone cannot ask for a link. */
function isClickedIn(frame: HTMLIFrameElement): boolean {
  return document.activeElement === frame && navigator.userActivation.isActive;
}
