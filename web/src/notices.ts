// What the page tells at its edge: refused calls, short confirmations, and the voice of a screen reader.
import { signal } from "@preact/signals";

import { CallRefused } from "./connection.ts";

export interface Notice {
  id: number;
  kind: "error" | "alert" | "info";
  message: string;
  hint: string;
}

export const notices = signal<readonly Notice[]>([]);
export const announcement = signal("");

const SHOWN_MS = { error: 10_000, alert: 20_000, info: 4_000 };
const SHOWN_AT_ONCE = 4;
let lastId = 0;

export function inform(message: string): void {
  show({ id: ++lastId, kind: "info", message, hint: "" });
}

/** Something that a person wanted to be told of. */
export function warn(message: string, hint: string): void {
  show({ id: ++lastId, kind: "alert", message, hint });
}

export function reportError(error: unknown): void {
  const hint = error instanceof CallRefused ? error.hint : "";
  const message = error instanceof Error ? error.message : String(error);
  show({ id: ++lastId, kind: "error", message, hint });
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((each) => each.id !== id);
}

/** Runs what a click started; a refusal becomes a notice instead of an unhandled rejection. */
export function attempt(action: () => Promise<unknown>): void {
  action().catch(reportError);
}

let announced: ReturnType<typeof setTimeout> | undefined;

/** At most one sentence a second: a loop must not talk over itself. */
export function announce(text: string): void {
  clearTimeout(announced);
  announced = setTimeout(() => { announcement.value = text; }, 1000);
}

function show(notice: Notice): void {
  const others = notices.value.filter((each) => each.message !== notice.message);
  notices.value = [...others, notice].slice(-SHOWN_AT_ONCE);
  setTimeout(() => dismiss(notice.id), SHOWN_MS[notice.kind]);
}
