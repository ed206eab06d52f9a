// Walking through what was executed before: prefix by prefix, or by a search. Pure.

export interface Recall {
  readonly entries: readonly string[]; // oldest first, no neighbour twice
  readonly at: number; // entries.length: the draft
  readonly draft: string;
  readonly prefix: string;
}

export function recall(codes: readonly string[], draft: string, prefix: string): Recall {
  const entries = codes.filter((code, index) => code.trim() !== "" && code !== codes[index - 1]);
  return { entries, at: entries.length, draft, prefix };
}

export function older(from: Recall): Recall | null {
  for (let at = from.at - 1; at >= 0; at--) {
    if (matches(from, at)) return { ...from, at };
  }
  return null;
}

export function newer(from: Recall): Recall | null {
  if (from.at >= from.entries.length) return null;
  for (let at = from.at + 1; at < from.entries.length; at++) {
    if (matches(from, at)) return { ...from, at };
  }
  return { ...from, at: from.entries.length };
}

export function shown({ entries, at, draft }: Recall): string {
  return entries[at] ?? draft;
}

function matches({ entries, prefix, at: current, draft }: Recall, at: number): boolean {
  const entry = entries[at] ?? "";
  return entry.startsWith(prefix) && entry !== (entries[current] ?? draft);
}

/** Newest first, each text once; every word of the query must be in it, in any case. */
export function search(codes: readonly string[], query: string, limit = 100): string[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = new Set<string>();
  for (let at = codes.length - 1; at >= 0 && found.size < limit; at--) {
    const code = codes[at] ?? "";
    const lower = code.toLowerCase();
    if (code.trim() !== "" && words.every((word) => lower.includes(word))) found.add(code);
  }
  return [...found];
}
