// Events and first pictures as the server sends them, for the tests.
import type { EventData, EventType, SessionEvent, SessionState, Variable } from "../src/messages.ts";
import type { Random } from "./random.ts";

export function variable(name: string, preview: string, version = 1): Variable {
  return {
    name, type: "int", module: "builtins", preview, length: null, size_bytes: 28, shape: null,
    dtype: null, expandable: false, settable: true, version, value: null,
  };
}

export function emptyState(seq = 0): SessionState {
  return {
    session: "s", name: "a session", status: "idle", seq, created_at: TIME, executions: [],
    execution_count: 0, variables: [], watches: [], packages: [], bindings: [], participants: [], checkpoints: [],
    process: { state: "idle", reason: null, exit: null, memory_bytes: null, watcher: null, grace_s: null },
    inputs: [], reason: null, restore: [], variables_left_out: 0, mirror: null, truncated: false,
  };
}

export const TIME = "2026-01-31T12:00:00.000000Z";

export function event<T extends EventType>(seq: number, type: T, data: EventData[T]): SessionEvent {
  return { session: "s", seq, time: TIME, type, data } as SessionEvent;
}

/** A log that a session could have: each execution queued, started, shown, finished, in that order. */
export function randomLog(random: Random, length: number): SessionEvent[] {
  const log: SessionEvent[] = [];
  const running: string[] = [];
  let number = 0;
  const add = <T extends EventType>(type: T, data: EventData[T]) => {
    log.push(event(log.length + 1, type, data));
  };
  while (log.length < length) {
    const execution = running[0];
    const step = random.below(8);
    if (step === 0 || !execution) {
      number += 1;
      running.push(`e${number}`);
      add("execution.queued", { execution: `e${number}`, number, code: `f(${number})`, author: "Ana" });
    } else if (step === 1) {
      add("execution.started", { execution, number, code: `f(${number})`, author: "Ana" });
    } else if (step === 2) {
      add("variables.changed", { running: true, changes: randomChanges(random, execution) });
    } else if (step === 3) {
      add("display_data", { execution, bundle: { "text/plain": `${log.length}` },
        display_id: random.pick([null, "d1", "d2"]) });
    } else if (step === 4) {
      add("update_display_data", { execution, bundle: { "text/plain": "new" }, display_id: "d1" });
    } else if (step === 5) {
      add("execution.finished", { execution, status: "ok", duration_ms: 1, checkpoint: null });
      running.shift();
    } else {
      add("stream", { execution, name: random.pick(["stdout", "stderr"]), text: randomText(random) });
    }
  }
  return log;
}

function randomChanges(random: Random, execution: string): EventData["variables.changed"]["changes"] {
  return Array.from({ length: 1 + random.below(3) }, () => {
    const name = random.pick(["a", "b", "c"]);
    return random.below(4) === 0
      ? { op: "delete" as const, name, variable: null, execution, line: null, author: "Ana" }
      : { op: "set" as const, name, execution, line: 1, author: "Ana",
          variable: variable(name, String(random.below(100))) };
  });
}

const PIECES = ["a", "bc\n", "\n", "\r", "10%\r", "\x1b[31mred", "\x1b[0m", "wide 😀 text\n", "\r\n"];

export function randomText(random: Random, pieces = 6): string {
  return Array.from({ length: 1 + random.below(pieces) }, () => random.pick(PIECES)).join("");
}
