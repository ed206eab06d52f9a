// The session's name, what its Python does, Interrupt always at hand, who is here, and the menu.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { stateWord } from "../format.ts";
import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { dialog, link } from "../page.ts";
import { panelOpen } from "../preferences.ts";
import type { Session } from "../session.ts";
import { commands } from "./commands.ts";
import { Elapsed } from "./elapsed.tsx";
import { Icon, Logo } from "./icons.tsx";
import { IsolationBadge } from "./isolation_badge.tsx";
import { MirrorBadge } from "./mirror_badge.tsx";
import { Presence } from "./people.tsx";
import { ThemeButton } from "./theme_button.tsx";
import { UsageButton } from "./usage.tsx";

export function SessionHeader({ open, session }: { open: OpenSession; session: Session }) {
  return (
    <header class="topbar session-bar">
      <a class="brand" href="#/" title="All sessions" aria-label="All sessions"><Logo /></a>
      <Name open={open} session={session} />
      <RunState open={open} session={session} />
      {open.editing.value && <Interrupt open={open} session={session} />}
      <span class="spring" />
      <MirrorBadge session={session} />
      <IsolationBadge />
      <UsageButton open={open} />
      <span class={`role-badge role-${open.role.value}`} data-testid="role">{open.role.value}</span>
      <Presence open={open} />
      {open.owning.value && (
        <button data-testid="share-open" onClick={() => { dialog.value = { kind: "share" }; }}>
          <Icon name="share" /> <span class="wide-only">Share</span>
        </button>
      )}
      <button class="plain" data-testid="panel-toggle" aria-pressed={panelOpen.value}
        title="Variables (Ctrl+J)" aria-label="Show the variables"
        onClick={() => { panelOpen.value = !panelOpen.value; }}><Icon name="panel" /></button>
      <span class="wide-only"><ThemeButton /></span>
      <Menu />
    </header>
  );
}

function Name({ open, session }: { open: OpenSession; session: Session }) {
  const name = session.name || session.session;
  if (!open.owning.value) return <h1 class="session-name" data-testid="session-name">{name}</h1>;
  return (
    <h1 class="session-name">
      <button class="plain" title="Rename" data-testid="session-name"
        onClick={() => { dialog.value = { kind: "rename", session: open.id, name: session.name }; }}>{name}</button>
    </h1>
  );
}

function RunState({ open, session }: { open: OpenSession; session: Session }) {
  const { state } = session.process;
  const running = open.running.value;
  const queued = session.executions.filter((each) => each.status === "queued").length;
  const shown = link.value === "connected" ? state : "unknown";
  return (
    <span class={`run-state state state-${shown}`} data-testid="run-state" data-state={state} role="status">
      {shown === "unknown" ? "not connected" : stateWord(state)}
      {shown === "busy" && running && <> <Elapsed open={open} since={running.started_at} /></>}
      {queued > 0 && <span class="quiet"> +{queued} queued</span>}
    </span>
  );
}

function Interrupt({ open, session }: { open: OpenSession; session: Session }) {
  const { state, reason, grace_s } = session.process;
  const busy = state === "busy" || open.running.value !== null;
  const escalating = reason === "interrupting";
  return (
    <>
      <button class={`interrupt ${busy ? "armed" : ""}`} data-testid="interrupt"
        title="Interrupt (Ctrl+C)" disabled={link.value !== "connected"}
        onClick={() => {
          attempt(() => open.interrupt());
          open.focusEditor();
        }}>
        <Icon name="stop" filled /> <span class="wide-only">Interrupt</span>
      </button>
      {escalating && <Escalation key={session.seq} seconds={grace_s ?? 5} />}
    </>
  );
}

/** The code does not stop by itself: how long until its process is ended. */
function Escalation({ seconds }: { seconds: number }) {
  const left = useSignal(Math.ceil(seconds));
  useEffect(() => {
    const timer = setInterval(() => { left.value = Math.max(0, left.value - 1); }, 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span class="escalation" role="status" data-testid="escalation">
      The code does not answer the interrupt. Its process is stopped in {left.value} s.
    </span>
  );
}

function Menu() {
  const shown = useSignal(false);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!shown.value) return undefined;
    frame.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = (event: Event) => {
      if (!frame.current?.contains(event.target as Node)) shown.value = false;
    };
    addEventListener("pointerdown", away, true);
    return () => removeEventListener("pointerdown", away, true);
  }, [shown.value]);
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Tab") {
      shown.value = false;
      return;
    }
    if (event.key === "Escape" && shown.value) {
      shown.value = false;
      frame.current?.querySelector("button")?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      moveFocus(frame.current, event.key === "ArrowDown" ? 1 : -1);
    } else return;
    event.preventDefault();
  };
  return (
    <div class="menu" ref={frame} onKeyDown={pressed}>
      <button class="plain" data-testid="menu" aria-haspopup="menu" aria-expanded={shown.value}
        aria-label="More" title="More" onClick={() => { shown.value = !shown.value; }}><Icon name="more" /></button>
      {shown.value && (
        <ul role="menu">
          {commands().filter((each) => each.possible).map(({ title, keys, group, run }, index, all) => (
            <li key={title} role="none" class={group === all[index - 1]?.group ? "" : "group"}>
              <button role="menuitem" class="plain" data-testid="menu-item" data-title={title}
                onClick={() => {
                  shown.value = false;
                  run();
                }}><span>{title}</span>{keys && <kbd>{keys}</kbd>}</button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function moveFocus(frame: HTMLElement | null, by: number): void {
  const items = [...frame?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? []];
  const at = items.findIndex((each) => each === document.activeElement);
  items[(at + by + items.length) % items.length]?.focus();
}
