// The rows of the variables table: every open branch in its place, none of them built before it is seen. Pure.
import type { Child, PatchRow, Path, Variable, Window } from "./messages.ts";

export const PAGE = 100;
// Browsers stop placing elements at about 33 million pixels: what is beyond is said in the last row.
export const CHILDREN_SHOWN = 400_000;

export interface Branch {
  readonly path: Path;
  readonly index: number; // of its own row among its parent's children; -1 for a variable
  readonly depth: number;
  readonly total: number | null; // null: not known yet
  readonly pages: ReadonlyMap<number, readonly Child[]>;
  readonly branches: readonly Branch[]; // open children, by index
}

export type Row =
  | { kind: "value"; path: Path; depth: number; label: string; variable: Variable;
      open: boolean; index: number; parent: Branch | null }
  | { kind: "loading"; branch: Branch; page: number; depth: number }
  | { kind: "more"; branch: Branch; hidden: number; depth: number }
  | { kind: "empty"; branch: Branch; depth: number };

interface Stretch {
  readonly from: number;
  readonly count: number;
  readonly row: (offset: number) => Row;
}

export class Rows {
  readonly count: number;
  readonly #stretches: readonly Stretch[];

  constructor(variables: readonly Variable[], open: ReadonlyMap<string, Branch>) {
    const stretches: Stretch[] = [];
    let count = 0;
    const put = (length: number, row: Stretch["row"]) => {
      if (length > 0) stretches.push({ from: count, count: length, row });
      count += length;
    };
    for (const variable of variables) {
      const branch = open.get(variable.name);
      put(1, () => valueRow([variable.name], 0, variable.name, variable, branch !== undefined, -1, null));
      if (branch) putBranch(branch, put);
    }
    this.count = count;
    this.#stretches = stretches;
  }

  at(index: number): Row | null {
    let low = 0;
    let high = this.#stretches.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const stretch = this.#stretches[middle];
      if (!stretch) return null;
      if (index < stretch.from) high = middle - 1;
      else if (index >= stretch.from + stretch.count) low = middle + 1;
      else return stretch.row(index - stretch.from);
    }
    return null;
  }
}

export function childAt(branch: Branch, index: number): Child | null {
  return branch.pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
}

type Put = (length: number, row: Stretch["row"]) => void;

function putBranch(branch: Branch, put: Put): void {
  const depth = branch.depth + 1;
  if (branch.total === null) return put(1, () => ({ kind: "loading", branch, page: 0, depth }));
  if (branch.total === 0) return put(1, () => ({ kind: "empty", branch, depth }));
  const shown = Math.min(branch.total, CHILDREN_SHOWN);
  let from = 0;
  for (const inner of branch.branches) {
    if (inner.index >= shown) break;
    putChildren(branch, from, inner.index + 1, inner, put);
    putBranch(inner, put);
    from = inner.index + 1;
  }
  putChildren(branch, from, shown, null, put);
  const hidden = branch.total - shown;
  if (hidden > 0) put(1, () => ({ kind: "more", branch, hidden, depth }));
}

function putChildren(branch: Branch, from: number, to: number, open: Branch | null, put: Put): void {
  put(to - from, (offset) => childRow(branch, from + offset, open?.index === from + offset));
}

function childRow(branch: Branch, index: number, open: boolean): Row {
  const depth = branch.depth + 1;
  const child = childAt(branch, index);
  if (!child) return { kind: "loading", branch, page: Math.floor(index / PAGE), depth };
  return valueRow([...branch.path, child.key], depth, child.label, child.variable, open, index, branch);
}

function valueRow(
  path: Path, depth: number, label: string, variable: Variable, open: boolean, index: number,
  parent: Branch | null,
): Row {
  return { kind: "value", path, depth, label, variable, open, index, parent };
}

export function branchFor(path: Path, index: number, depth: number): Branch {
  return { path, index, depth, total: null, pages: new Map(), branches: [] };
}

/** The branch at `path` replaced by what `change` makes of it; null closes it. */
export function changeBranch(
  root: Branch, path: Path, change: (branch: Branch) => Branch | null,
): Branch | null {
  if (path.length === root.path.length) return change(root);
  const branches = root.branches.flatMap((inner) => {
    if (!leadsTo(inner, path)) return [inner];
    return changeBranch(inner, path, change) ?? [];
  });
  return { ...root, branches };
}

export function openBranch(parent: Branch, branch: Branch): Branch {
  const others = parent.branches.filter((each) => each.index !== branch.index);
  return { ...parent, branches: [...others, branch].sort((a, b) => a.index - b.index) };
}

/** A page that arrived; open children that are no longer where they were are closed. */
export function putPage(
  branch: Branch, page: number, children: readonly Child[], total: number,
): Branch {
  const pages = new Map([...branch.pages].filter(([known]) => known * PAGE < total));
  pages.set(page, children);
  const next = { ...branch, pages, total };
  const branches = branch.branches.filter((inner) => {
    const child = childAt(next, inner.index);
    return inner.index < total && (!child || sameElement(child.key, inner.path.at(-1)));
  });
  return { ...next, branches };
}

/** A page with the rows of a patch in their places; null where rows are missing that it does not have. */
export function patchPage(
  known: readonly Child[], length: number, version: number, rows: readonly PatchRow[],
): Child[] | null {
  const children: (Child | undefined)[] = known.slice(0, length).map((child) => (
    { ...child, variable: { ...child.variable, version } }));
  for (const { row, child } of rows) children[row] = child;
  for (let row = 0; row < length; row++) if (!children[row]) return null;
  return children as Child[];
}

/** What is between two rows: the variables' names, and the pages of what is open. */
export function inView(rows: Rows, indexes: readonly number[]): { names: string[]; windows: Window[] } {
  const names = new Set<string>();
  const windows = new Map<string, Window>();
  const put = ({ path }: Branch, page: number) => {
    const window = { path, offset: page * PAGE, limit: PAGE };
    windows.set(JSON.stringify(window), window);
  };
  for (const index of indexes) {
    const row = rows.at(index);
    if (row?.kind === "value") {
      names.add(String(row.path[0]));
      if (row.parent) put(row.parent, Math.floor(row.index / PAGE));
    } else if (row?.kind === "loading") put(row.branch, row.page);
  }
  return { names: [...names].sort(), windows: [...windows.values()] };
}

function leadsTo(branch: Branch, path: Path): boolean {
  const at = branch.path.length - 1;
  return sameElement(branch.path[at], path[at]);
}

function sameElement(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
