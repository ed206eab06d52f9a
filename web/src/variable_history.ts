// How a variable came to be what it is: its changes in order, what is worth saying of them, and of two of them. Pure.
import { integerFrom, numberOf, parts } from "./exact_value.ts";
import { count } from "./format.ts";
import { folded, lineDiff, type DiffRow } from "./line_diff.ts";
import type { HistoryChange, SessionEvent } from "./messages.ts";

export interface Point extends HistoryChange {
  readonly amount: number | null; // NaN and infinities too; null: no number
}

export function pointOf(change: HistoryChange): Point {
  return { ...change, amount: change.op === "delete" ? null : numberOf(change.value, change.type, change.preview) };
}

/** The changes of one variable among events that just came, of which `before` came earlier. */
export function pointsIn(
  events: readonly SessionEvent[], name: string, before: number, numbers: (execution: string) => number | null,
): Point[] {
  return events.flatMap((event) => event.type !== "variables.changed" ? [] : event.data.changes
    .filter((change) => change.name === name)
    .map((change) => ({ event, change }))).map(({ event, change }, index) => pointOf({
      seq: event.seq, time: event.time, nth: before + index + 1, op: change.op, execution: change.execution,
      number: change.execution === null ? null : numbers(change.execution), line: change.line,
      author: change.author ?? null, type: change.variable?.type ?? null,
      preview: change.variable?.preview ?? null, value: change.variable?.value ?? null,
    }));
}

/** Both in one order, each change once, as it was read last. */
export function merged(known: readonly Point[], added: readonly Point[]): readonly Point[] {
  if (added.length === 0) return known;
  const last = known.at(-1)?.seq ?? -1;
  if (added.every(({ seq }, index) => seq > (added[index - 1]?.seq ?? last))) return [...known, ...added];
  const bySeq = new Map([...known, ...added].map((point) => [point.seq, point]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** Where a change is, or the last one before it. */
export function placeOf(points: readonly Point[], seq: number): number {
  return lastUpTo(points, seq, (point) => point.seq);
}

/** The change whose number is nearest: between those that are kept others were. */
export function nearest(points: readonly Point[], nth: number): number {
  const at = lastUpTo(points, nth, (point) => point.nth);
  const [before, after] = [points[at], points[at + 1]];
  return before && after && after.nth - nth < nth - before.nth ? at + 1 : at;
}

function lastUpTo(points: readonly Point[], limit: number, of: (point: Point) => number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const point = points[middle];
    if (point && of(point) <= limit) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

export interface Fact {
  readonly title: string;
  readonly point: Point;
}

/** What people ask of a value that went wrong: when did that begin? */
export function facts(points: readonly Point[]): Fact[] {
  const questions: [string, (point: Point) => boolean][] = [
    ["First became NaN", ({ amount }) => amount !== null && Number.isNaN(amount)],
    ["First became infinite", ({ amount }) => amount === Number.POSITIVE_INFINITY || amount === Number.NEGATIVE_INFINITY],
    ["First became None", isNone],
    ["First negative", ({ amount }) => amount !== null && amount < 0],
    ["First deleted", ({ op }) => op === "delete"],
  ];
  const found = questions.flatMap(([title, holds]) => {
    const point = points.find(holds);
    return point ? [{ title, point }] : [];
  });
  const other = firstOtherType(points);
  if (other) found.push({ title: `First became ${other.type}`, point: other });
  return found.sort((a, b) => a.point.seq - b.point.seq);
}

function isNone({ type }: Point): boolean {
  return type === "NoneType";
}

function firstOtherType(points: readonly Point[]): Point | undefined {
  const typed = points.filter((point) => point.type !== null && !isNone(point));
  return typed.find(({ type }) => type !== typed[0]?.type);
}

export interface Extremes {
  readonly lowest: Point;
  readonly highest: Point;
}

/** Of the finite numbers; null where there is none. */
export function extremes(points: readonly Point[]): Extremes | null {
  let [lowest, highest]: (Point | null)[] = [null, null];
  for (const point of points) {
    if (point.amount === null || !Number.isFinite(point.amount)) continue;
    if (!lowest || point.amount < (lowest.amount ?? 0)) lowest = point;
    if (!highest || point.amount > (highest.amount ?? 0)) highest = point;
  }
  return lowest && highest ? { lowest, highest } : null;
}

export type Difference =
  | { kind: "same" }
  | { kind: "numbers"; difference: string; ratio: string | null }
  | { kind: "parts"; rows: DiffRow[] };

export function differenceOf(before: Point, after: Point): Difference {
  const numbers = numbersDifference(before, after);
  if (numbers) return numbers;
  const whole = before.type === after.type && (before.value === null) === (after.value === null);
  const lines = lineDiff(partsOf(before, whole), partsOf(after, whole));
  if (lines.every(({ sign }) => sign === "=")) return { kind: "same" };
  return { kind: "parts", rows: folded(lines) };
}

/** Elements beside the preview of something else would differ in everything. */
function partsOf(point: Point, whole: boolean): string[] {
  return whole && point.value !== null ? parts(point.value) : [valueText(point)];
}

function numbersDifference(before: Point, after: Point): Difference | null {
  if (before.amount === null || after.amount === null || typeof before.value === "boolean") return null;
  if (!Number.isFinite(before.amount) || !Number.isFinite(after.amount)) return null;
  if (before.amount === after.amount && before.preview === after.preview) return { kind: "same" };
  const [old, now] = [wholeOf(before), wholeOf(after)];
  const difference = old !== null && now !== null ? String(now - old) : shortNumber(after.amount - before.amount);
  const ratio = after.amount / before.amount;
  return {
    kind: "numbers", difference: difference.startsWith("-") ? difference.replace("-", "−") : `+${difference}`,
    ratio: Number.isFinite(ratio) && before.amount !== 0 ? shortNumber(ratio) : null,
  };
}

/** An int, exactly: beyond 2**53 a difference of floats would be wrong. */
function wholeOf({ type, value }: Point): bigint | null {
  if (typeof value === "number") return type === "int" ? BigInt(value) : null;
  const { $type, value: text } = (value ?? {}) as { $type?: unknown; value?: unknown };
  return $type === "int" && typeof text === "string" ? integerFrom(text) : null;
}

/** As many digits as help. */
export function shortNumber(number: number): string {
  const size = Math.abs(number);
  if (size !== 0 && (size >= 1e15 || size < 1e-4)) return number.toExponential(3);
  return String(Number(number.toPrecision(7)));
}

/** Where a change was made, in few letters. */
export function place({ execution, number, line }: Point): string {
  if (execution === null) return "by hand";
  return `${number === null ? "In[…]" : `In[${number}]`}${line === null ? "" : `, line ${line}`}`;
}

export function valueText({ op, preview }: Point): string {
  return op === "delete" ? "deleted" : preview ?? "";
}

export function ordinal({ nth }: Point, points: readonly Point[]): string {
  return `Change ${nth.toLocaleString("en")} of ${(points.at(-1)?.nth ?? 0).toLocaleString("en")}`;
}

/** What is told of a history that is not whole. */
export function thinnedText(points: readonly Point[]): string | null {
  const all = points.at(-1)?.nth ?? 0;
  if (all <= points.length) return null;
  return `${count(points.length, "change")} shown of ${all.toLocaleString("en")}: of the old ones fewer are kept.`;
}
