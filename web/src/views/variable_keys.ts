// The keys of the variables table: a tree that is walked, opened, edited.
import type { Signal } from "@preact/signals";

import { copyPath, copyValue } from "../clipboard.ts";
import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { dialog } from "../page.ts";
import { pathKey, pythonExpression } from "../paths.ts";
import type { Rows } from "../tree.ts";
import type { VariableTree } from "../variable_tree.ts";
import { writeWatch } from "../watch_draft.ts";

interface Table {
  open: OpenSession;
  tree: VariableTree;
  rows: Rows;
  at: number;
  editing: Signal<string | null>;
  select: (index: number) => void;
}

const PAGE_ROWS = 12;

export function variableKeys(table: Table) {
  return (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    if (leave(table, event.key) || move(table, event.key) || act(table, event.key)) event.preventDefault();
  };
}

/** Escape and i lead back to where code is written; a viewer has only the transcript. */
function leave({ open }: Table, key: string): boolean {
  if (key !== "Escape" && key !== "i") return false;
  if (open.editing.value) open.focusEditor();
  else open.focusTranscript();
  return true;
}

function move({ rows, at, select }: Table, key: string): boolean {
  const steps: Record<string, number> = {
    ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: PAGE_ROWS, PageUp: -PAGE_ROWS,
    Home: -at, End: rows.count - 1 - at,
  };
  const step = steps[key];
  if (step === undefined) return false;
  select(Math.max(0, Math.min(rows.count - 1, at + step)));
  return true;
}

function act(table: Table, key: string): boolean {
  const { open, tree, rows, at, editing, select } = table;
  const row = rows.at(at);
  if (key === "w" && open.editing.value) {
    writeWatch(open, row?.kind === "value" ? { expression: pythonExpression(row.path) } : {});
    return true;
  }
  if (row?.kind !== "value") return false;
  switch (key) {
    case "ArrowRight":
      if (row.variable.expandable && !row.open) tree.toggle(row);
      else if (row.open) select(Math.min(rows.count - 1, at + 1));
      return true;
    case "ArrowLeft":
      if (row.open) tree.toggle(row);
      else if (row.parent) select(parentIndex(rows, at, row.depth));
      return true;
    case "Enter":
      if (open.editing.value && row.variable.settable) editing.value = pathKey(row.path);
      else if (row.variable.expandable) tree.toggle(row);
      return true;
    case " ":
      dialog.value = { kind: "variable", path: row.path };
      return true;
    case "y":
      attempt(() => copyValue(open, row.path));
      return true;
    case "p":
      attempt(() => copyPath(row.path));
      return true;
    case "Delete":
      if (open.editing.value && row.depth === 0) attempt(async () => confirmDelete(open, String(row.path[0])));
      return true;
    default:
      return false;
  }
}

export function confirmDelete(open: OpenSession, name: string): void {
  dialog.value = {
    kind: "confirm", title: `Delete ${name}?`, action: "Delete",
    text: `As “del ${name}” would: for everybody, and it cannot be taken back.`,
    run: async () => await open.call("variable.delete", { name }),
  };
}

export function parentIndex(rows: Rows, from: number, depth: number): number {
  for (let index = from - 1; index >= 0; index--) {
    const row = rows.at(index);
    if (row?.kind === "value" && row.depth < depth) return index;
  }
  return from;
}
