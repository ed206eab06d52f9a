// The transcript cut into rows that are drawn and measured one by one. Pure.
import type { Outgoing } from "../outbox.ts";
import type { Item } from "../outputs.ts";
import type { ExecutionView } from "../session.ts";

export interface Segment {
  kind: "segment";
  key: string;
  execution: ExecutionView;
  items: readonly Item[];
  offset: number; // of the first of these items among the execution's
  first: boolean;
  last: boolean;
}

export type TranscriptRow =
  | Segment
  | { kind: "earlier"; key: string }
  | { kind: "cleared"; key: string; count: number }
  | { kind: "pending"; key: string; outgoing: Outgoing };

const ITEMS_PER_SEGMENT = 4;

const known = new WeakMap<ExecutionView, readonly Segment[]>();

export function segmentsOf(execution: ExecutionView): readonly Segment[] {
  let segments = known.get(execution);
  if (!segments) {
    segments = cut(execution);
    known.set(execution, segments);
  }
  return segments;
}

function cut(execution: ExecutionView): Segment[] {
  const count = Math.max(1, Math.ceil(execution.items.length / ITEMS_PER_SEGMENT));
  return Array.from({ length: count }, (_, index) => {
    const offset = index * ITEMS_PER_SEGMENT;
    return {
      kind: "segment", key: `${execution.execution} ${index}`, execution,
      items: execution.items.slice(offset, offset + ITEMS_PER_SEGMENT), offset,
      first: index === 0, last: index === count - 1,
    };
  });
}

/** Whether drawing it again would give the same. */
export function sameSegment(a: Segment, b: Segment): boolean {
  if (a.first !== b.first || a.last !== b.last || a.items.length !== b.items.length) return false;
  if (!a.items.every((item, index) => item === b.items[index])) return false;
  const [x, y] = [a.execution, b.execution];
  return x === y || x.execution === y.execution && x.status === y.status && x.code === y.code &&
    x.duration_ms === y.duration_ms && x.started_at === y.started_at && x.author === y.author;
}

export function estimateHeight(row: TranscriptRow): number {
  if (row.kind !== "segment") return 44;
  let lines = 0;
  for (const item of row.items) {
    if (item.kind === "text") lines += countLines(item.text);
    else if (item.kind === "error") lines += item.traceback.length + 2;
    else lines += 3;
  }
  const code = row.first ? 34 + 20 * Math.min(24, countLines(row.execution.code)) : 0;
  return code + lines * 19 + (row.last ? 10 : 0);
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
