// Code that was entered and that the server has not accepted yet: (outbox, …) -> outbox. Pure.
import type { ExecutionView } from "./session.ts";

export interface Outgoing {
  readonly execution: string; // made here, so that sending it twice executes it once
  readonly code: string;
}

export type Outbox = readonly Outgoing[];

export function put(outbox: Outbox, execution: string, code: string): Outbox {
  return [...outbox, { execution, code }];
}

export function remove(outbox: Outbox, execution: string): Outbox {
  return outbox.filter((each) => each.execution !== execution);
}

/** What the record shows as accepted needs no sending, even if its acknowledgement was lost. */
export function withoutAccepted(outbox: Outbox, executions: readonly ExecutionView[]): Outbox {
  if (outbox.length === 0) return outbox;
  const accepted = new Set(executions.map((each) => each.execution));
  const left = outbox.filter((each) => !accepted.has(each.execution));
  return left.length === outbox.length ? outbox : left;
}

export function parseOutbox(text: string | null): Outbox {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list.filter(isOutgoing) : [];
  } catch {
    return [];
  }
}

function isOutgoing(value: unknown): value is Outgoing {
  const { execution, code } = (value ?? {}) as Record<string, unknown>;
  return typeof execution === "string" && typeof code === "string";
}
