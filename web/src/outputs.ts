// What one execution has shown so far, cut into pieces that can be drawn one by one. Pure.
import { NO_STYLE, styleAfter, type Style } from "./ansi.ts";
import type { MimeBundle, Output, StreamPart, TruncatedOutput } from "./messages.ts";

export interface TextItem {
  kind: "text";
  name: "stdout" | "stderr";
  text: string;
  style: Style; // the colours that are on where this piece begins
}

export interface GapItem {
  kind: "gap";
  hiddenBytes: number;
  lostBytes: number; // beyond what the server keeps
  lostDisplays: number;
  tail: readonly TextItem[];
}

export interface RichItem {
  kind: "rich";
  bundle: MimeBundle;
  displayId: string | null;
  result: boolean;
}

export interface ErrorItem {
  kind: "error";
  name: string;
  message: string;
  traceback: readonly string[];
  line: number | null;
}

export interface InputItem {
  kind: "input";
  request: number;
  prompt: string;
  password: boolean;
  text: string | null;
  state: string; // waiting, answered or cancelled
}

export interface OmittedItem {
  kind: "omitted";
  hint: string;
  bytes: number;
}

export type Item = TextItem | GapItem | RichItem | ErrorItem | InputItem | OmittedItem;

const PIECE_LINES = 64;
const PIECE_LENGTH = 4096;
const PIECE_LIMIT = 16384;

export function itemsOf(outputs: readonly Output[]): readonly Item[] {
  return outputs.reduce<readonly Item[]>(appendOutput, []);
}

export function appendOutput(items: readonly Item[], output: Output): readonly Item[] {
  switch (output.type) {
    case "stream":
      return appendText(items, output);
    case "stream.truncated":
      return truncate(items, output);
    case "display_data":
      return [...items, rich(output.bundle, output.display_id, false)];
    case "execute_result":
      return [...items, rich(output.bundle, null, true)];
    case "error": {
      const { name, message, traceback, line } = output;
      return [...items, { kind: "error", name, message, traceback, line }];
    }
    case "input": {
      const { type: _, ...question } = output;
      return [...items, { kind: "input", ...question }];
    }
    case "omitted":
      return [...items, { kind: "omitted", hint: output.hint, bytes: output.bytes }];
    default:
      return items; // a later server may show more than this page understands
  }
}

export function answerItem(
  items: readonly Item[], request: number, state: string, text: string | null,
): readonly Item[] {
  const at = items.findLastIndex((item) => item.kind === "input" && item.request === request);
  const item = items[at];
  return item?.kind === "input" ? items.with(at, { ...item, state, text }) : items;
}

/** Nobody waits for an answer to an execution that has ended. */
export function closeInputs(items: readonly Item[]): readonly Item[] {
  const waits = (item: Item) => item.kind === "input" && item.state === "waiting";
  return items.some(waits)
    ? items.map((item) => (waits(item) ? { ...item, state: "cancelled" } as Item : item)) : items;
}

export function updateDisplay(
  items: readonly Item[], displayId: string, bundle: MimeBundle,
): readonly Item[] {
  if (!items.some((item) => item.kind === "rich" && item.displayId === displayId)) return items;
  return items.map((item) =>
    item.kind === "rich" && item.displayId === displayId ? { ...item, bundle } : item);
}

/** Adds text; the pieces depend on the text alone, not on how it was cut into events. */
function appendText(items: readonly Item[], part: StreamPart): readonly Item[] {
  const last = items.at(-1);
  const continues = last?.kind === "text" && last.name === part.name && isOpen(last.text);
  const before = continues ? items.slice(0, -1) : items;
  let style = continues ? last.style : NO_STYLE;
  if (!continues && last?.kind === "text" && last.name === part.name) {
    style = styleAfter(last.text, last.style);
  }
  const text = overwriteLines((continues ? last.text : "") + part.text);
  const added: Item[] = [];
  for (let from = 0; from < text.length;) {
    const to = endOfPiece(text, from);
    const piece = text.slice(from, to);
    added.push({ kind: "text", name: part.name, text: piece, style });
    style = styleAfter(piece, style);
    from = to;
  }
  return [...before, ...added];
}

function rich(bundle: MimeBundle, displayId: string | null, result: boolean): RichItem {
  return { kind: "rich", bundle, displayId, result };
}

/** The end of what was left out is known only when it stops: each newer tail replaces the one before. */
function truncate(
  items: readonly Item[], { dropped_bytes, lost_bytes, dropped_displays, tail }: TruncatedOutput,
): readonly Item[] {
  const gap: GapItem = {
    kind: "gap", hiddenBytes: dropped_bytes, lostBytes: lost_bytes, lostDisplays: dropped_displays,
    tail: tail.reduce<readonly Item[]>(appendText, []) as readonly TextItem[],
  };
  const at = items.findIndex((item) => item.kind === "gap");
  return at < 0 ? [...items, gap] : items.with(at, gap);
}

function isOpen(text: string): boolean {
  return endOfPiece(text, 0) === text.length && !isFull(text);
}

function isFull(text: string): boolean {
  if (text.length >= PIECE_LIMIT) return true;
  if (!text.endsWith("\n")) return false;
  return text.length >= PIECE_LENGTH || newlines(text) >= PIECE_LINES;
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function endOfPiece(text: string, from: number): number {
  let end = text.length;
  let at = from - 1;
  for (let line = 0; line < PIECE_LINES; line++) {
    at = text.indexOf("\n", at + 1);
    if (at < 0) break;
    if (line === PIECE_LINES - 1 || at + 1 - from >= PIECE_LENGTH) {
      end = at + 1;
      break;
    }
  }
  if (end - from <= PIECE_LIMIT) return end;
  const hard = from + PIECE_LIMIT;
  const splitsPair = (text.charCodeAt(hard - 1) & 0xfc00) === 0xd800;
  return splitsPair ? hard - 1 : hard;
}

/** What a terminal shows after carriage returns: a progress bar is one line, not a thousand. */
export function overwriteLines(text: string): string {
  if (!text.includes("\r")) return text;
  return text
    .split("\n")
    .map((line, index, lines) => overwriteLine(line, index < lines.length - 1))
    .join("\n");
}

function overwriteLine(line: string, finished: boolean): string {
  if (!line.includes("\r")) return line;
  const parts = line.split("\r");
  // The last part may still grow, so it is laid over the others only when its line has ended.
  const growing = finished ? "" : parts.pop() ?? "";
  const shown = parts.reduce(overlay, "");
  return finished ? shown : `${shown}\r${growing}`;
}

function overlay(below: string, above: string): string {
  if (above === "") return below;
  if (above.includes("\x1b") || below.includes("\x1b")) return above;
  return above + below.slice(above.length);
}

/** The same for drawing: the part that may still grow is laid over too. */
export function settleLines(text: string): string {
  if (!text.includes("\r")) return text;
  return overwriteLines(`${text}\n`).slice(0, -1);
}
