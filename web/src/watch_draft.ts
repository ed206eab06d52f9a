// A watch that is being written: a new one, or in the place of another.
import type { OpenSession } from "./open_session.ts";

export interface WatchDraft {
  expression: string;
  condition: string;
  replaces: string | null; // the id of a watch
}

export function writeWatch(open: OpenSession, draft: Partial<WatchDraft> = {}): void {
  open.watchDraft.value = { expression: "", condition: "", replaces: null, ...draft };
}

/** The new one is there before the old one goes: what cannot be takes nothing away. */
export async function followDraft(open: OpenSession, { expression, condition, replaces }: WatchDraft): Promise<void> {
  const { watch } = await open.call("watch.add", {
    expression, ...(condition.trim() ? { condition } : {}),
  });
  if (replaces !== null && replaces !== watch) await open.call("watch.remove", { watch: replaces });
}
