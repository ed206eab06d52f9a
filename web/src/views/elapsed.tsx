// A time that runs, drawn by itself so that nothing else is drawn again.
import { useEffect, useReducer } from "preact/hooks";

import { running } from "../format.ts";
import type { OpenSession } from "../open_session.ts";

const TICK_MS = 100;

export function Elapsed({ open, since }: { open: OpenSession; since: string | null }) {
  const [, tick] = useReducer((count: number, _: void) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => tick(), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  if (!since) return null;
  return <span class="elapsed">{running(Math.max(0, open.now() - Date.parse(since)))}</span>;
}
