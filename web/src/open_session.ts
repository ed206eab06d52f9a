// One session on the screen: joins it, keeps it up to date, and carries out what its person asks for.
import { computed, signal } from "@preact/signals";

import { CallRefused, type Connection } from "./connection.ts";
import type {
  Calls, LiveMessage, Patch, Path, Role, RunningLine, SessionEvent, Variable, Window,
} from "./messages.ts";
import { announce, reportError, warn } from "./notices.ts";
import * as outgoing from "./outbox.ts";
import { plainText } from "./ansi.ts";
import { ownName } from "./preferences.ts";
import {
  hasGap, prepend, receive, sessionOf, showLive, type Alert, type ExecutionView, type Session,
} from "./session.ts";
import { SessionUsage } from "./session_usage.ts";
import { sessionToken } from "./tokens.ts";
import { Touches } from "./touches.ts";
import type { WatchDraft } from "./watch_draft.ts";
import { WatchedScripts } from "./watched_scripts.ts";

type SessionCall = { [N in keyof Calls]: Calls[N]["args"] extends { session: string } ? N : never }[keyof Calls];

const HIDDEN_TAB_MS = 200;
const GAP_MS = 250;
const RESEND_MS = 2000;
const EARLIER = 50;
const LOOK_MS = 60;

/** What of the variables is in view: the server shows its changes many times a second. */
export interface View {
  names: string[];
  windows: Window[];
}

export class OpenSession {
  readonly id: string;
  readonly session = signal<Session | null>(null);
  readonly role = signal<Role>("viewer");
  readonly participant = signal<string | null>(null);
  readonly outbox = signal<outgoing.Outbox>([]);
  readonly problem = signal<CallRefused | null>(null);
  readonly joined = signal(false);
  readonly hasEarlier = signal(false);
  readonly clearedUpTo = signal(0); // executions up to this number are out of view
  readonly executedHere = signal(0); // how often: the transcript then goes to its end
  readonly selected = signal<string | null>(null); // an execution, by the keys of the transcript
  readonly dismissedRestore = signal(0);
  readonly scripts = new WatchedScripts(() => this.call("script.list", {}));
  readonly usage = new SessionUsage(() => this.call("session.usage", {}));
  readonly watchDraft = signal<WatchDraft | null>(null); // a watch that is being written
  readonly alerted = signal(false); // while nobody looked
  readonly editing = computed(() => this.role.value !== "viewer");
  readonly owning = computed(() => this.role.value === "owner");
  readonly running = computed(() =>
    this.session.value?.executions.findLast((each) => each.status === "running") ?? null);
  /** Where the running code is, while there is some. */
  readonly line = signal<RunningLine | null>(null);
  /** Which variables were seen to change. */
  readonly touched = new Touches();
  readonly touchedWatches = new Touches();
  /** Told of events once they are part of the session. */
  readonly listeners = new Set<(events: readonly SessionEvent[]) => void>();
  /** Set by the editor's view: puts code before what stands there, or in its place. */
  putCode: (code: string) => void = () => {};
  replaceCode: (code: string) => void = () => {};
  focusEditor: () => void = () => {};
  hasDraft: () => boolean = () => false;
  focusTranscript: () => boolean = () => false;
  focusVariables: () => void = () => {};
  /** Set by the table of the variables: news of the windows that it has in view. */
  patch: (patch: Patch) => void = () => {};
  showExecution: (execution: string) => Promise<void> = async () => {};

  readonly #connection: Connection;
  readonly #accepted = new Set<string>();
  #arrived: SessionEvent[] = [];
  #flushing = false;
  #joining: Promise<void> | null = null;
  #sending = false;
  #seenRestore = 0;
  #clockSkew = Number.POSITIVE_INFINITY;
  #closed = false;
  #shown: { message: LiveMessage; taken: () => void }[] = [];
  #view: View = { names: [], windows: [] };
  #lookedAt = "";
  #lookLater: ReturnType<typeof setTimeout> | undefined;
  readonly #changeVisibility = () => this.#look();

  constructor(id: string, connection: Connection) {
    this.id = id;
    this.#connection = connection;
    this.outbox.value = outgoing.parseOutbox(sessionStorage.getItem(this.#outboxKey));
    document.addEventListener("visibilitychange", this.#changeVisibility);
    if (connection.connected) void this.join();
  }

  async call<Name extends SessionCall>(
    name: Name, args: Omit<Calls[Name]["args"], "session">, timeoutMs?: number,
  ): Promise<Calls[Name]["reply"]> {
    return await this.#connection.call(name, { ...args, session: this.id }, timeoutMs);
  }

  join(): Promise<void> {
    this.#joining ??= this.#catchUp().finally(() => { this.#joining = null; });
    return this.#joining;
  }

  /** Comes in again, under another name. */
  async rejoin(): Promise<void> {
    await this.call("session.leave", {});
    await this.join();
  }

  disconnected(): void {
    this.joined.value = false;
    this.#shown = [];
    this.line.value = null;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#lookLater);
    document.removeEventListener("visibilitychange", this.#changeVisibility);
    this.scripts.close();
    this.usage.close();
    if (this.#connection.connected) this.call("session.leave", {}).catch(() => {});
  }

  receive(event: SessionEvent): void {
    if (event.session !== this.id) return;
    this.#clockSkew = Math.min(this.#clockSkew, Date.now() - Date.parse(event.time));
    this.#arrived.push(event);
    this.scripts.receive(event);
    this.usage.receive(event);
    this.#scheduleFlush();
  }

  receiveLive(message: LiveMessage, taken: () => void): void {
    if (message.session !== this.id) return taken();
    this.#shown.push({ message, taken });
    this.#scheduleFlush();
  }

  /** What is on the screen now, and so is to be shown as it changes. */
  look(view: View): void {
    this.#view = view;
    this.#lookLater ??= setTimeout(() => {
      this.#lookLater = undefined;
      this.#look();
    }, LOOK_MS);
  }

  #look(): void {
    if (!this.joined.value || this.#closed) return;
    const view = document.hidden ? { names: [], windows: [], line: false } : { ...this.#view, line: true };
    const wanted = JSON.stringify(view);
    if (wanted === this.#lookedAt) return;
    this.#lookedAt = wanted;
    // Without it the record still comes, four times a second.
    this.call("view.set", view).catch(() => { this.#lookedAt = ""; });
  }

  /** The server's time now, as well as it can be known here. */
  now(): number {
    return Date.now() - (Number.isFinite(this.#clockSkew) ? this.#clockSkew : 0);
  }

  execute(code: string): void {
    const execution = `e${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
    this.#setOutbox(outgoing.put(this.outbox.value, execution, code));
    this.#dismissGoodNews();
    this.executedHere.value += 1;
    void this.#send();
  }

  /** Who executes twice has seen that everything came back; what did not is shown until dismissed. */
  #dismissGoodNews(): void {
    const restore = this.session.value?.restore;
    if (!restore?.entries.every((entry) => entry.verdict === "restored")) return;
    if (this.#seenRestore === restore.seq) this.dismissedRestore.value = restore.seq;
    this.#seenRestore = restore.seq;
  }

  /** As it is by now: what a view was drawn from may be older. */
  executionNow(execution: ExecutionView): ExecutionView {
    return this.session.peek()?.executions.find((each) => each.execution === execution.execution) ?? execution;
  }

  discard(execution: string): void {
    this.#setOutbox(outgoing.remove(this.outbox.value, execution));
  }

  async interrupt(): Promise<void> {
    await this.call("interrupt", {});
  }

  async loadEarlier(): Promise<void> {
    const first = this.session.value?.executions[0];
    if (!first) return;
    const { executions } = await this.call("execution.list", { before: first.number, limit: EARLIER });
    if (this.session.value) this.session.value = prepend(this.session.value, executions);
    this.hasEarlier.value = executions.length > 0 && (executions[0]?.number ?? 1) > 1;
  }

  clearView(): void {
    const finished = this.session.value?.executions.filter((each) => !isOpen(each)) ?? [];
    this.clearedUpTo.value = finished.at(-1)?.number ?? 0;
  }

  async setVariable(path: Path, expression: string, version: number | null): Promise<Variable> {
    const guard = version === null ? {} : { if_version: version };
    return (await this.call("variable.set", { path, expression, ...guard })).variable;
  }

  async #catchUp(): Promise<void> {
    try {
      for (let more = true; more && !this.#closed;) more = await this.#joinOnce();
      this.problem.value = null;
      this.joined.value = true;
      this.#lookedAt = "";
      this.#look();
      void this.#send();
      for (const each of [this.scripts, this.usage]) each.refresh().catch(() => {}); // an older server has no such call
    } catch (error) {
      if (!(error instanceof CallRefused)) throw error;
      if (!error.unanswered) this.problem.value = error;
      else if (this.#connection.connected) setTimeout(() => void this.join(), RESEND_MS);
    }
  }

  async #joinOnce(): Promise<boolean> {
    const token = sessionToken(this.id)?.token;
    const known = this.session.value;
    const reply = await this.call("session.join", {
      ...(token ? { token } : {}),
      ...(ownName.value ? { name: ownName.value } : {}),
      ...(known ? { since: known.seq } : {}),
    });
    this.role.value = reply.role;
    if (reply.participant) this.participant.value = reply.participant;
    if (reply.state) this.#replace(sessionOf(reply.state));
    this.#arrived.unshift(...(reply.events ?? []));
    this.#flush();
    return reply.more === true;
  }

  #replace(session: Session): void {
    this.session.value = session;
    this.hasEarlier.value = (session.executions[0]?.number ?? 1) > 1;
  }

  /** Once a frame, however many events came: a flood costs drawing time, never typing. */
  #scheduleFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    const flush = () => {
      this.#flushing = false;
      this.#flush();
    };
    if (document.hidden) setTimeout(flush, HIDDEN_TAB_MS);
    else requestAnimationFrame(flush);
  }

  #flush(): void {
    const before = this.session.value;
    if (!before) return; // what came before the first picture waits for it
    const arrived = [...before.held, ...this.#arrived];
    const recorded = receive(before, this.#arrived);
    this.#arrived = [];
    const after = this.#showLive(recorded);
    if (after === before) return;
    this.#noteChanges(before, after);
    this.session.value = after;
    if (!this.running.value) this.line.value = null;
    this.#tell(arrived.filter(({ seq }) => seq > before.seq && seq <= after.seq));
    this.#setOutbox(outgoing.withoutAccepted(this.outbox.value, after.executions));
    if (hasGap(after)) setTimeout(() => this.#fillGap(), GAP_MS);
  }

  #showLive(session: Session): Session {
    const shown = this.#shown;
    this.#shown = [];
    for (const { message, taken } of shown) {
      session = showLive(session, message);
      this.line.value = message.line;
      message.patches.forEach((patch) => this.patch(patch));
      for (const { name } of message.changes) this.touched.note(name);
      taken();
    }
    return session;
  }

  #tell(events: SessionEvent[]): void {
    if (this.listeners.size === 0) return;
    events.sort((a, b) => a.seq - b.seq);
    for (const listener of this.listeners) listener(events);
  }

  #fillGap(): void {
    const { session } = this;
    if (session.value && hasGap(session.value) && this.#connection.connected) void this.join();
  }

  #noteChanges(before: Session, after: Session): void {
    const now = performance.now();
    for (const [name, seq] of after.changedAt) {
      if (seq > before.seq) this.touched.note(name, now);
    }
    const versions = new Map(before.watches.map((each) => [each.watch, each.version]));
    for (const { watch, version } of after.watches) {
      if (version !== versions.get(watch)) this.touchedWatches.note(watch, now);
    }
    for (const alert of after.alerts) if (alert.seq > before.seq) this.#tellAlert(alert, after);
    const finished = justFinished(before, after);
    if (finished) announce(spoken(finished));
  }

  #tellAlert(alert: Alert, { executions }: Session): void {
    const number = executions.find((each) => each.execution === alert.execution)?.number;
    const where = [number !== undefined && `In[${number}]`, alert.line && `line ${alert.line}`].filter(Boolean);
    warn(`${alert.expression} is ${alert.variable.preview}`, [`Alert: ${alert.condition}`, ...where].join(", "));
    if (!document.hidden) return;
    this.alerted.value = true;
    addEventListener("visibilitychange", () => { this.alerted.value = false; }, { once: true });
  }

  #setOutbox(outbox: outgoing.Outbox): void {
    if (outbox === this.outbox.value) return;
    this.outbox.value = outbox;
    if (outbox.length) sessionStorage.setItem(this.#outboxKey, JSON.stringify(outbox));
    else sessionStorage.removeItem(this.#outboxKey);
  }

  get #outboxKey(): string {
    return `watchglass.outbox.${this.id}`;
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.joined.value && await this.#sendNext());
    } finally {
      this.#sending = false;
    }
  }

  async #sendNext(): Promise<boolean> {
    const next = this.outbox.value.find((each) => !this.#accepted.has(each.execution));
    if (!next) return false;
    try {
      await this.call("execute", { execution: next.execution, code: next.code });
      this.#accepted.add(next.execution); // it leaves the outbox when the record shows it
      return true;
    } catch (error) {
      if (error instanceof CallRefused && error.unanswered) {
        setTimeout(() => void this.#send(), RESEND_MS);
        return false;
      }
      this.discard(next.execution);
      this.putCode(next.code);
      reportError(error);
      return true;
    }
  }
}

export function isOpen({ status }: ExecutionView): boolean {
  return status === "queued" || status === "running";
}

/** Events add executions at the end only, so that each has the place it had before. */
function justFinished(before: Session, after: Session): ExecutionView | undefined {
  return after.executions.findLast((each, index) => {
    const known = before.executions[index];
    return each !== known && !isOpen(each) && each.finished_at !== null && (!known || isOpen(known));
  });
}

function spoken(execution: ExecutionView): string {
  const last = execution.items.at(-1);
  let said = "";
  if (last?.kind === "error") said = `${last.name}: ${last.message}`;
  else if (last?.kind === "rich") said = String(last.bundle["text/plain"] ?? "rich output");
  else if (last?.kind === "text") said = plainText(last.text).trimEnd().split("\n").at(-1) ?? "";
  const outcome = execution.status === "ok" ? "finished" : execution.status;
  return `In ${execution.number} ${outcome}. ${said.slice(0, 200)}`;
}
