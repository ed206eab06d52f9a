// One row of the variables table.
import type { Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { bytes, count, visible } from "../format.ts";
import type { OpenSession } from "../open_session.ts";
import { dialog } from "../page.ts";
import { pathKey } from "../paths.ts";
import type { Row } from "../tree.ts";
import type { VariableTree } from "../variable_tree.ts";
import { Icon } from "./icons.tsx";
import { ValueEditor } from "./value_editor.tsx";
import { confirmDelete } from "./variable_keys.ts";

interface Props {
  row: Row;
  index: number;
  start: number;
  selected: boolean;
  open: OpenSession;
  tree: VariableTree;
  editing: Signal<string | null>;
  select: () => void;
}

export function VariableRow(props: Props) {
  const { row, index, start, selected } = props;
  return (
    <div class={`variable-row ${selected ? "current" : ""} ${row.kind}`} id={`variable-${index}`} role="row"
      aria-level={row.depth + 1} aria-rowindex={index + 1} aria-selected={selected}
      {...(row.kind === "value" ? dataOf(row) : {})}
      style={{ transform: `translateY(${start}px)`, "--depth": row.depth }} onPointerDown={props.select}>
      {row.kind === "value" ? <Value {...props} row={row} /> : <Other row={row} tree={props.tree} />}
    </div>
  );
}

type ValueRow = Extract<Row, { kind: "value" }>;

function dataOf({ label, path, depth, variable, open }: ValueRow) {
  return {
    "data-testid": depth === 0 ? "variable-row" : "variable-child",
    "data-name": label, "data-path": pathKey(path), "data-version": variable.version,
    ...(variable.expandable ? { "aria-expanded": open } : {}),
  };
}

function Other({ row, tree }: { row: Exclude<Row, ValueRow>; tree: VariableTree }) {
  useNeeded(row.kind === "loading" ? row : null, tree);
  if (row.kind === "loading") return <span class="note">…</span>;
  if (row.kind === "empty") return <span class="note">empty</span>;
  return <span class="note">{count(row.hidden, "more item")}: look at a slice of it</span>;
}

/** Asks for the page that this row stands in, whenever it is missing or out of date. */
function useNeeded(row: { branch: Parameters<VariableTree["need"]>[0]; page: number } | null, tree: VariableTree) {
  useEffect(() => { if (row) tree.need(row.branch, row.page); });
}

const PAGE = 100;

function Value({ row, open, tree, editing, select }: Props & { row: ValueRow }) {
  const { variable, label, path, parent } = row;
  useNeeded(parent && { branch: parent, page: Math.floor(row.index / PAGE) }, tree);
  const key = pathKey(path);
  const touch = row.depth === 0 ? open.touched.fresh(label) : tree.touched.fresh(key);
  const mayEdit = open.editing.value && variable.settable;
  const edit = () => {
    select();
    editing.value = key;
  };
  if (editing.value === key) {
    return <><Name row={row} open={open} tree={tree} /><ValueEditor row={row} open={open} done={() => { editing.value = null; }} /></>;
  }
  return (
    <>
      {touch && <span key={touch.at} class={touch.steady ? "flash steady" : "flash"} data-testid="flash" aria-hidden="true" />}
      <Name row={row} open={open} tree={tree} />
      <span class="type" role="gridcell" title={typeTitle(row)}>
        {variable.truncated && <Truncated />}{typeText(row)}
      </span>
      <span class="preview" role="gridcell" data-testid="variable-preview" title={variable.preview}
        onDblClick={mayEdit ? edit : undefined}>{variable.preview}</span>
      <span class="size" role="gridcell">{sizeText(row)}</span>
      <span class="row-tools" role="gridcell">
        {mayEdit && (
          <button class="plain" tabIndex={-1} title="Change the value (Enter)" aria-label={`Change ${label}`}
            data-testid="variable-edit" onClick={edit}><Icon name="edit" /></button>
        )}
        <button class="plain" tabIndex={-1} title="Look closer (Space)" aria-label={`Look closer at ${label}`}
          data-testid="variable-look" onClick={() => { dialog.value = { kind: "variable", path }; }}><Icon name="eye" /></button>
        {open.editing.value && row.depth === 0 && (
          <button class="plain danger" tabIndex={-1} title="Delete (Del)" aria-label={`Delete ${label}`}
            data-testid="variable-delete" onClick={() => confirmDelete(open, label)}><Icon name="trash" /></button>
        )}
      </span>
    </>
  );
}

function Name({ row, open, tree }: { row: ValueRow; open: OpenSession; tree: VariableTree }) {
  const binding = row.depth === 0 ? open.session.value?.bindings.get(row.label) : undefined;
  return (
    <span class="name" role="gridcell" title={visible(row.label)}>
      {row.variable.expandable
        ? (
          <button class="plain twisty" tabIndex={-1} aria-label={`${row.open ? "Close" : "Open"} ${visible(row.label)}`}
            data-testid="variable-expand" onClick={() => tree.toggle(row)}>
            <span class={row.open ? "turned" : ""}><Icon name="chevron" /></span>
          </button>
        )
        : <span class="twisty" />}
      <span class="name-text">{visible(row.label)}</span>
      {binding && <Follows what={binding.follows} />}
    </span>
  );
}

function Follows({ what }: { what: string }) {
  const title = `Follows ${visible(what)}, and writes it`;
  return <span class="follows" role="img" aria-label={title} title={title} data-testid="variable-follows">⇄</span>;
}

function Truncated() {
  const title = "Too large to be watched whole: changes deep inside may show late.";
  return <span class="truncated" role="img" aria-label={title} title={title} data-testid="variable-truncated">◐</span>;
}

function typeText({ variable: { type, length, shape, dtype } }: ValueRow): string {
  if (shape) return `${visible(type)} ${shape.join("×")}${dtype ? ` ${dtype}` : ""}`;
  return length === null ? type : `${type} · ${length.toLocaleString("en")}`;
}

function typeTitle({ variable: { type, module, length } }: ValueRow): string {
  const name = module && module !== "builtins" ? `${module}.${type}` : type;
  return length === null ? name : `${name}, ${count(length, "item")}`;
}

function sizeText({ variable: { size_bytes } }: ValueRow): string {
  return size_bytes === null ? "" : bytes(size_bytes);
}
