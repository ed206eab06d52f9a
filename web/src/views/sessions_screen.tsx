// Screen 1: the sessions of this server.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { hashOf } from "../address.ts";
import { CallRefused } from "../connection.ts";
import { ago, bytes, stateWord } from "../format.ts";
import type { SessionSummary } from "../messages.ts";
import { attempt, reportError } from "../notices.ts";
import { connection, createSession, dialog, isOwner, link } from "../page.ts";
import { ConnectionBanner } from "./banners.tsx";
import { confirmDestroy } from "./commands.ts";
import { Icon, Logo } from "./icons.tsx";
import { IsolationBadge } from "./isolation_badge.tsx";
import { ThemeButton } from "./theme_button.tsx";

const REFRESH_MS = 2500;

export function SessionsScreen() {
  const sessions = useSignal<readonly SessionSummary[] | null>(null);
  const filter = useSignal("");
  const filterBox = useRef<HTMLInputElement>(null);
  useEffect(() => keepFresh(sessions), [link.value]);
  useEffect(() => singleKeys(filterBox), []);
  return (
    <div class="sessions-screen">
      <header class="topbar">
        <span class="brand"><Logo /> Watchglass</span>
        <span class="spring" />
        <IsolationBadge />
        <ThemeButton />
        <button class="plain" title="Keys and help (?)" aria-label="Keys and help" onClick={() => { dialog.value = { kind: "help" }; }}>
          <Icon name="help" />
        </button>
      </header>
      <ConnectionBanner waiting={0} />
      <main class="sessions-main">
        <div class="sessions-head">
          <h1>Sessions</h1>
          <span class="spring" />
          <label class={`search-box ${sessions.value?.length === 0 ? "unused" : ""}`}>
            <Icon name="lens" />
            <input ref={filterBox} type="search" placeholder="Filter ( / )" aria-label="Filter sessions"
              data-testid="sessions-filter" value={filter.value}
              onInput={(event) => { filter.value = event.currentTarget.value; }} />
          </label>
          {isOwner.value && sessions.value?.length !== 0 && <NewButton />}
        </div>
        <SessionsTable sessions={sessions} filter={filter.value} />
      </main>
    </div>
  );
}

function NewButton() {
  const busy = useSignal(false);
  const create = async () => {
    busy.value = true;
    try {
      await createSession();
    } finally {
      busy.value = false;
    }
  };
  return (
    <button class="primary" data-testid="sessions-new" title="New session (n)"
      disabled={busy.value || link.value !== "connected"} onClick={() => attempt(create)}>
      <Icon name="plus" /> {busy.value ? "Starting…" : "New session"}
    </button>
  );
}

function SessionsTable({ sessions, filter }: {
  sessions: Signal<readonly SessionSummary[] | null>; filter: string;
}) {
  if (sessions.value === null) return <p class="quiet pad">Loading…</p>;
  if (sessions.value.length === 0) return <NoSessions />;
  const wanted = filter.toLowerCase();
  const found = sessions.value
    .filter((each) => `${each.name} ${each.session}`.toLowerCase().includes(wanted))
    .sort((a, b) => b.last_active_at.localeCompare(a.last_active_at));
  if (found.length === 0) return <p class="quiet pad">No session's name has “{filter}” in it.</p>;
  return (
    <div class="table-scroll">
      <table class="sessions-table" data-testid="sessions">
        <thead>
          <tr>
            <th>Session</th><th>State</th><th class="number">People</th>
            <th class="number">Executions</th><th class="number">Memory</th><th>Last active</th>
            <th><span class="spoken">Actions</span></th>
          </tr>
        </thead>
        <tbody>{found.map((each) => <SessionRow key={each.session} summary={each} />)}</tbody>
      </table>
    </div>
  );
}

function SessionRow({ summary }: { summary: SessionSummary }) {
  const { session, name, status, participants, executions, memory_bytes, last_active_at } = summary;
  return (
    <tr data-testid="session-row" data-session={session} data-name={name}>
      <td>
        <a class="session-link" href={hashOf({ screen: "session", session })} title={name}>{name || session}</a>
        <span class="session-summary">
          <span class={`state state-${status}`}>{stateWord(status)}</span>
          <span class="quiet">{ago(last_active_at, Date.now())}</span>
        </span>
      </td>
      <td><span class={`state state-${status}`} data-testid="session-state" data-state={status}>{stateWord(status)}</span></td>
      <td class="number">{participants || "–"}</td>
      <td class="number">{executions}</td>
      <td class="number">{memory_bytes ? bytes(memory_bytes) : "–"}</td>
      <td class="quiet">{ago(last_active_at, Date.now())}</td>
      <td class="row-actions">
        {isOwner.value && (
          <>
            <button class="plain" title="Rename" aria-label={`Rename ${name || session}`}
              data-testid="session-rename" onClick={() => askName(summary)}><Icon name="edit" /></button>
            <button class="plain danger" title="Destroy" aria-label={`Destroy ${name || session}`}
              data-testid="session-destroy" onClick={() => confirmDestroy(session, name)}>
              <Icon name="trash" />
            </button>
          </>
        )}
      </td>
    </tr>
  );
}

function NoSessions() {
  return (
    <div class="empty" data-testid="sessions-empty">
      <Logo />
      <h2>No sessions yet</h2>
      <p>A session is a Python of its own: it keeps its variables while you are away, and others can
        join it by a link.</p>
      {isOwner.value ? <NewButton /> : <p class="quiet">Open the link that someone sent you to join one.</p>}
    </div>
  );
}

function askName({ session, name }: SessionSummary): void {
  dialog.value = { kind: "rename", session, name };
}

function keepFresh(sessions: Signal<readonly SessionSummary[] | null>): () => void {
  let stopped = false;
  const load = async () => {
    if (stopped || link.value !== "connected" || document.hidden) return;
    try {
      sessions.value = (await connection.value?.call("session.list", {}))?.sessions ?? [];
    } catch (error) {
      if (!(error instanceof CallRefused) || !error.unanswered) reportError(error);
    }
  };
  void load();
  const timer = setInterval(() => void load(), REFRESH_MS);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

function singleKeys(filterBox: { current: HTMLInputElement | null }): () => void {
  const pressed = (event: KeyboardEvent) => {
    const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || dialog.value) return;
    if (event.key === "/") {
      event.preventDefault();
      filterBox.current?.focus();
    } else if (event.key === "n" && isOwner.value) {
      attempt(createSession);
    }
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
