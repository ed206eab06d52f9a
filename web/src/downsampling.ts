// Thousands of numbers in hundreds of columns: of each column its lowest and highest, so that no peak is lost. Pure.

export interface Dot {
  readonly index: number;
  readonly value: number;
}

export type GapKind = "nan" | "inf" | "-inf" | "none";

export interface Gap {
  readonly index: number;
  readonly kind: GapKind;
}

export interface Drawing {
  readonly lines: readonly (readonly Dot[])[]; // interrupted where there is no finite number
  readonly gaps: readonly Gap[];
}

export function downsample(amounts: readonly (number | null)[], columns: number): Drawing {
  const lines: Dot[][] = [];
  const gaps: Gap[] = [];
  let line: Dot[] = [];
  const end = () => {
    if (line.length) lines.push(line);
    line = [];
  };
  const buckets = Math.min(amounts.length, Math.max(1, columns));
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor(bucket * amounts.length / buckets);
    const to = Math.floor((bucket + 1) * amounts.length / buckets);
    for (const each of shownOf(amounts, from, to)) {
      if ("value" in each) line.push(each);
      else {
        gaps.push(each);
        end();
      }
    }
  }
  end();
  return { lines, gaps };
}

/** The lowest, the highest and the first gap of a column, in the order of their places. */
function shownOf(amounts: readonly (number | null)[], from: number, to: number): (Dot | Gap)[] {
  let [lowest, highest]: (Dot | null)[] = [null, null];
  let gap: Gap | null = null;
  for (let index = from; index < to; index++) {
    const value = amounts[index] ?? null;
    if (value === null || !Number.isFinite(value)) gap ??= { index, kind: gapKind(value) };
    else {
      if (!lowest || value < lowest.value) lowest = { index, value };
      if (!highest || value >= highest.value) highest = { index, value };
    }
  }
  const dots = lowest && highest && lowest.index !== highest.index ? [lowest, highest] : lowest ? [lowest] : [];
  return [...dots, ...gap ? [gap] : []].sort((a, b) => a.index - b.index);
}

function gapKind(value: number | null): GapKind {
  if (value === null) return "none";
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
