// What was taken out and put in between two lists of lines. Pure.

export interface DiffLine {
  sign: "=" | "-" | "+";
  text: string;
}

export type DiffRow = DiffLine | { sign: "…"; count: number };

// What differs in more than this many pairs of lines is shown as replaced: nobody reads it line by line.
const PAIRS = 1_500_000;
const AROUND = 2;

export function lineDiff(before: readonly string[], after: readonly string[]): DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < Math.min(before.length, after.length) - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const middle = changed(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return [...same(before.slice(0, start)), ...middle, ...same(before.slice(before.length - end))];
}

/** Long stretches without a difference become one row that counts them. */
export function folded(lines: readonly DiffLine[]): DiffRow[] {
  const rows: DiffRow[] = [];
  for (let at = 0; at < lines.length;) {
    let until = at;
    while (until < lines.length && lines[until]?.sign === "=") until++;
    const first = at === 0 ? at : at + AROUND;
    const last = until === lines.length ? until : until - AROUND;
    if (last - first > 1) {
      rows.push(...lines.slice(at, first), { sign: "…", count: last - first }, ...lines.slice(last, until));
    } else rows.push(...lines.slice(at, until));
    const next = lines[until];
    if (next) rows.push(next);
    at = until + 1;
  }
  return rows;
}

function same(texts: readonly string[]): DiffLine[] {
  return texts.map((text) => ({ sign: "=", text }));
}

/** By the longest list of lines that both have in the same order. */
function changed(before: readonly string[], after: readonly string[]): DiffLine[] {
  const lines: DiffLine[] = [];
  const lengths = before.length * after.length <= PAIRS ? commonLengths(before, after) : null;
  const width = after.length + 1;
  let [old, now] = [0, 0];
  while (old < before.length || now < after.length) {
    if (lengths && old < before.length && now < after.length && before[old] === after[now]) {
      lines.push({ sign: "=", text: before[old] ?? "" });
      old++;
      now++;
      continue;
    }
    const without = lengths?.[(old + 1) * width + now] ?? 0;
    const withNew = lengths?.[old * width + now + 1] ?? 0;
    if (old < before.length && (now === after.length || without >= withNew)) lines.push({ sign: "-", text: before[old++] ?? "" });
    else lines.push({ sign: "+", text: after[now++] ?? "" });
  }
  return lines;
}

/** At [old * width + now]: how many lines the rests have in common. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint16Array {
  const width = after.length + 1;
  const lengths = new Uint16Array((before.length + 1) * width);
  for (let old = before.length - 1; old >= 0; old--) {
    for (let now = after.length - 1; now >= 0; now--) {
      const at = old * width + now;
      lengths[at] = before[old] === after[now]
        ? (lengths[at + width + 1] ?? 0) + 1
        : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0);
    }
  }
  return lengths;
}
