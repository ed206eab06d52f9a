// What the page knows of one session: (session, events) -> session. Pure.
import type {
  Binding, Execution, InputAnsweredNotification, InputRequest, InputRequestedNotification, LiveMessage,
  MimeBundle, MirrorState, Output, Participant, ProcessState, RestoreEntry, SessionEvent, SessionState, Variable,
  VariableChange, Watch, WatchAlertNotification,
} from "./messages.ts";
import { answerItem, appendOutput, closeInputs, itemsOf, updateDisplay, type Item } from "./outputs.ts";

export interface ExecutionView extends Omit<Execution, "outputs"> {
  readonly items: readonly Item[];
}

export interface Restore {
  reason: string;
  seq: number;
  entries: readonly RestoreEntry[];
}

export interface Rise {
  seq: number;
  execution: string | null;
}

export interface Alert extends WatchAlertNotification {
  seq: number;
}

export interface Session {
  readonly session: string;
  readonly name: string;
  readonly seq: number;
  readonly executions: readonly ExecutionView[];
  readonly variables: ReadonlyMap<string, Variable>;
  readonly leftOut: number; // variables for which the limits leave no room
  readonly changedAt: ReadonlyMap<string, number>; // name → seq of its last change
  readonly ahead: ReadonlySet<string>; // names that are newer here than the record says, by `live`
  readonly risenAt: ReadonlyMap<string, Rise>; // name → its first change by what changed it last
  readonly watches: readonly Watch[];
  readonly bindings: ReadonlyMap<string, Binding>; // variables that follow rows, by their names
  readonly alerts: readonly Alert[]; // the last ones that came since the first picture
  readonly participants: readonly Participant[];
  readonly process: ProcessState;
  readonly inputs: readonly InputRequest[];
  readonly restore: Restore | null;
  readonly mirror: MirrorState | null; // null: there is none
  readonly destroyed: string | null;
  readonly held: readonly SessionEvent[]; // came too early: something before them is missing
}

// Beyond this the events are asked for again anyway.
const HELD_LIMIT = 2000;
const ALERTS_KEPT = 20;

export function sessionOf(state: SessionState): Session {
  return {
    session: state.session,
    name: state.name,
    seq: state.seq,
    executions: state.executions.map(executionOf),
    variables: byName(state.variables),
    changedAt: new Map(),
    ahead: new Set(),
    risenAt: new Map(),
    leftOut: state.variables_left_out ?? 0,
    watches: state.watches,
    bindings: bound(state.bindings ?? []),
    alerts: [],
    participants: state.participants,
    process: state.process,
    inputs: state.inputs,
    restore: state.reason && state.restore.length
      ? { reason: state.reason, seq: state.seq, entries: state.restore } : null,
    mirror: state.mirror ?? null,
    destroyed: null,
    held: [],
  };
}

export function executionOf({ outputs, ...execution }: Execution): ExecutionView {
  return { ...execution, items: itemsOf(outputs) };
}

/** Applies what fits, drops what is known, and holds back what comes after a gap. */
export function receive(session: Session, events: readonly SessionEvent[]): Session {
  const waiting = new Map<number, SessionEvent>();
  for (const event of [...session.held, ...events]) {
    if (event.session === session.session && event.seq > session.seq) waiting.set(event.seq, event);
  }
  let next: Session = session;
  for (let event = waiting.get(next.seq + 1); event; event = waiting.get(next.seq + 1)) {
    waiting.delete(event.seq);
    next = apply(next, event);
  }
  const held = [...waiting.values()].sort((a, b) => a.seq - b.seq).slice(0, HELD_LIMIT);
  return next === session && held.length === session.held.length ? session : { ...next, held };
}

export function hasGap(session: Session): boolean {
  return session.held.length > 0;
}

/** Puts executions that were asked for later before those that are known. */
export function prepend(session: Session, earlier: readonly Execution[]): Session {
  const known = new Set(session.executions.map((each) => each.execution));
  const added = earlier.filter((each) => !known.has(each.execution)).map(executionOf);
  return added.length ? { ...session, executions: [...added, ...session.executions] } : session;
}

function apply(session: Session, event: SessionEvent): Session {
  return { ...step(session, event), seq: event.seq };
}

function step(session: Session, event: SessionEvent): Session {
  switch (event.type) {
    case "execution.queued":
    case "execution.started":
      return putExecution(session, event);
    case "execution.finished":
      return finish(session, event.data, event.time);
    case "stream":
    case "stream.truncated":
    case "display_data":
    case "execute_result":
    case "error": {
      const { execution, ...data } = event.data;
      return putOutput(session, execution, { type: event.type, ...data } as Output);
    }
    case "update_display_data":
      return updateDisplays(session, event.data.display_id ?? "", event.data.bundle);
    case "input.requested":
      return askInput(session, event.data);
    case "input.answered":
      return answerInput(session, event.data);
    case "variables.changed":
      return {
        ...changeVariables(session, event.data.changes, event.seq),
        leftOut: event.data.left_out ?? session.leftOut,
      };
    case "watches.changed":
      return { ...session, watches: event.data.watches };
    case "bindings.changed":
      return { ...session, bindings: bound(event.data.bindings) };
    case "watch.alert":
      return { ...session, alerts: [...session.alerts, { ...event.data, seq: event.seq }].slice(-ALERTS_KEPT) };
    case "state.reset":
      return reset(session, event);
    case "process.state":
      return { ...session, process: changeProcess(session.process, event.data) };
    case "participant.joined":
      return { ...session, participants: [...without(session, event.data), event.data] };
    case "participant.left":
      return { ...session, participants: without(session, event.data) };
    case "session.renamed":
      return { ...session, name: event.data.name };
    case "mirror.state":
      return { ...session, mirror: event.data.state === "off" ? null : event.data };
    case "session.destroyed":
      return { ...session, destroyed: event.data.reason };
    default:
      return session; // a later server may say more than this page understands
  }
}

type Started = Extract<SessionEvent, { type: "execution.queued" | "execution.started" }>;

function putExecution(session: Session, { type, time, data }: Started): Session {
  const queued = type === "execution.queued";
  const when = queued ? { queued_at: time } : { started_at: time };
  const status = queued ? "queued" as const : "running" as const;
  if (find(session, data.execution) >= 0) {
    return change(session, data.execution, () => ({ ...data, ...when, status }));
  }
  const added: ExecutionView = {
    started_at: null, finished_at: null, duration_ms: null, queued_at: time, ...data, ...when,
    status, items: [],
  };
  return { ...session, executions: [...session.executions, added] };
}

function finish(
  session: Session, data: { execution: string; status: Execution["status"];
    duration_ms: number | null }, time: string,
): Session {
  const { execution, status, duration_ms } = data;
  const finished = change(session, execution, (each) => ({
    status, duration_ms, finished_at: time, items: closeInputs(each.items),
  }));
  const inputs = session.inputs.filter((each) => each.execution !== execution);
  return inputs.length === session.inputs.length ? finished : { ...finished, inputs };
}

/** What is printed outside of any execution is shown with the last one that began. */
function putOutput(session: Session, execution: string | null, output: Output): Session {
  const to = execution
    ?? session.executions.findLast((each) => each.status !== "queued")?.execution ?? "";
  return change(session, to, (each) => ({ items: appendOutput(each.items, output) }));
}

function askInput(session: Session, asked: InputRequestedNotification): Session {
  const { execution, ...question } = asked;
  const shown = putOutput(session, execution, {
    type: "input", ...question, text: null, state: "waiting",
  });
  const inputs = [...withoutInput(session, asked.request), { ...asked, execution: execution ?? "" }];
  return { ...shown, inputs };
}

function answerInput(session: Session, answered: InputAnsweredNotification): Session {
  const { request, text, cancelled } = answered;
  const executions = session.executions.map((each) => {
    const items = answerItem(each.items, request, cancelled ? "cancelled" : "answered", text);
    return items === each.items ? each : { ...each, items };
  });
  return { ...session, executions, inputs: withoutInput(session, request) };
}

/** What an event leaves out of memory stays known. */
function changeProcess(before: ProcessState, now: ProcessState): ProcessState {
  return { ...now, memory_bytes: now.memory_bytes ?? before.memory_bytes };
}

function change(
  session: Session, execution: string,
  fields: (known: ExecutionView) => Partial<ExecutionView>,
): Session {
  const at = find(session, execution);
  const known = session.executions[at];
  if (!known) return session; // older than what is loaded
  const executions = session.executions.slice();
  executions[at] = { ...known, ...fields(known) };
  return { ...session, executions };
}

function find(session: Session, execution: string): number {
  return session.executions.findLastIndex((each) => each.execution === execution);
}

function updateDisplays(session: Session, displayId: string, bundle: MimeBundle): Session {
  const executions = session.executions.map((each) => {
    const items = updateDisplay(each.items, displayId, bundle);
    return items === each.items ? each : { ...each, items };
  });
  return { ...session, executions };
}

function changeVariables(
  session: Session, changes: readonly VariableChange[], seq: number,
): Session {
  const variables = new Map(session.variables);
  const changedAt = new Map(session.changedAt);
  const risenAt = new Map(session.risenAt);
  const ahead = new Set(session.ahead);
  for (const { op, name, variable, execution } of changes) {
    if (op === "set" && variable) {
      const isOlder = ahead.has(name) && (variables.get(name)?.version ?? 0) > variable.version;
      if (!isOlder) {
        variables.set(name, variable);
        ahead.delete(name);
      }
      changedAt.set(name, seq);
      // Once per execution: in a loop the rows would change their places several times a second.
      if (execution === null || risenAt.get(name)?.execution !== execution) risenAt.set(name, { seq, execution });
    } else if (op === "delete") {
      variables.delete(name);
      changedAt.delete(name);
      risenAt.delete(name);
      ahead.delete(name);
    }
  }
  return { ...session, variables, changedAt, risenAt, ahead };
}

/** What `live` tells beyond the record: only what is newer than what is known. */
export function showLive(session: Session, { after_seq, changes }: LiveMessage): Session {
  if (after_seq < (session.restore?.seq ?? 0)) return session; // of the process before
  const variables = new Map(session.variables);
  const ahead = new Set(session.ahead);
  for (const { op, name, variable } of changes) {
    if (op === "set" && variable) {
      if ((variables.get(name)?.version ?? -1) >= variable.version) continue;
      variables.set(name, variable);
      ahead.add(name);
    } else if (op === "delete" && after_seq >= session.seq) {
      variables.delete(name);
      ahead.delete(name);
    }
  }
  return { ...session, variables, ahead };
}

function reset(
  session: Session, { seq, data }: Extract<SessionEvent, { type: "state.reset" }>,
): Session {
  return {
    ...session,
    variables: byName(data.variables),
    leftOut: data.left_out ?? 0,
    changedAt: new Map(),
    ahead: new Set(),
    risenAt: new Map(),
    watches: data.watches,
    inputs: [],
    restore: { reason: data.reason, seq, entries: data.restore ?? [] },
  };
}

function byName(variables: readonly Variable[]): ReadonlyMap<string, Variable> {
  return new Map(variables.map((variable) => [variable.name, variable]));
}

function bound(bindings: readonly Binding[]): ReadonlyMap<string, Binding> {
  return new Map(bindings.map((binding) => [binding.name, binding]));
}

function without(session: Session, { participant }: { participant: string }): Participant[] {
  return session.participants.filter((each) => each.participant !== participant);
}

function withoutInput(session: Session, request: number): InputRequest[] {
  return session.inputs.filter((each) => each.request !== request);
}
