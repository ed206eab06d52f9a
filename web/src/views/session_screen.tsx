// Screen 2: one session.
import { useEffect, useRef } from "preact/hooks";

import type { OpenSession } from "../open_session.ts";
import { go } from "../page.ts";
import { panelOpen, panelWidth } from "../preferences.ts";
import { ConnectionBanner, ProcessBanner, RestoreBanner } from "./banners.tsx";
import { Editor, ViewerNote } from "./editor.tsx";
import { ScriptBanner } from "./scripts.tsx";
import { SessionHeader } from "./session_header.tsx";
import { Splitter } from "./splitter.tsx";
import { Transcript } from "./transcript.tsx";
import { Variables } from "./variables.tsx";

export function SessionScreen({ open }: { open: OpenSession }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    open.focusTranscript = () => {
      frame.current?.querySelector<HTMLElement>(".transcript")?.focus();
      return true;
    };
    open.focusVariables = () => {
      panelOpen.value = true;
      requestAnimationFrame(() => {
        const panel = frame.current?.querySelector(".variables");
        (panel?.querySelector<HTMLElement>(".variable-rows") ?? panel?.querySelector("input"))?.focus();
      });
    };
  }, []);
  const session = open.session.value;
  if (open.problem.value) return <Problem open={open} />;
  if (session?.destroyed != null) return <Gone reason={session.destroyed} />;
  if (!session) return <main class="centre"><p class="quiet">Joining the session…</p></main>;
  return (
    <div ref={frame} class={`session-screen ${panelOpen.value ? "with-panel" : ""}`}
      style={{ "--panel-width": `${panelWidth.value}px` }} data-testid="session" data-session={open.id}>
      <SessionHeader open={open} session={session} />
      <div class="banners">
        <ConnectionBanner waiting={open.outbox.value.length} />
        <ProcessBanner open={open} />
        <RestoreBanner open={open} />
        <ScriptBanner open={open} />
      </div>
      <main class="work">
        <section class="console" aria-label="Console">
          <Transcript open={open} />
          {open.editing.value ? <Editor open={open} /> : <ViewerNote open={open} />}
        </section>
        {panelOpen.value && <Splitter />}
        {panelOpen.value && <Variables open={open} />}
      </main>
    </div>
  );
}

function Problem({ open }: { open: OpenSession }) {
  const problem = open.problem.value;
  return (
    <main class="centre">
      <div class="card" role="alert" data-testid="problem" data-code={problem?.code}>
        <h1>This session cannot be opened</h1>
        <p>{problem?.message}</p>
        <p class="quiet">{problem?.code === "session_not_found"
          ? "It was destroyed, or a part of its address is missing." : problem?.hint}</p>
        <div class="modal-actions">
          <button onClick={() => void open.join()}>Try again</button>
          <button class="primary" onClick={() => go({ screen: "sessions" })}>All sessions</button>
        </div>
      </div>
    </main>
  );
}

function Gone({ reason }: { reason: string }) {
  return (
    <main class="centre">
      <div class="card" data-testid="destroyed">
        <h1>This session was destroyed</h1>
        <p class="quiet">{reason}</p>
        <button class="primary" onClick={() => go({ screen: "sessions" })}>All sessions</button>
      </div>
    </main>
  );
}
