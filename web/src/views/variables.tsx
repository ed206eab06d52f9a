// The variables beside the console: what there is, what just changed, what is inside.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

import { count } from "../format.ts";
import type { OpenSession } from "../open_session.ts";
import { dialog } from "../page.ts";
import { panelOpen, showHidden, sortOrder } from "../preferences.ts";
import { pythonExpression } from "../paths.ts";
import { inView, Rows } from "../tree.ts";
import { sortVariables } from "../variable_order.ts";
import { VariableTree } from "../variable_tree.ts";
import { writeWatch } from "../watch_draft.ts";
import { Icon } from "./icons.tsx";
import { VariableRow } from "./variable_row.tsx";
import { parentIndex, variableKeys } from "./variable_keys.ts";
import { useVirtualizer } from "./virtual.ts";
import { Watches } from "./watches.tsx";

const ROW_HEIGHT = 28;

export function Variables({ open }: { open: OpenSession }) {
  const filter = useSignal("");
  const tree = useMemo(() => new VariableTree(open), []);
  const order = useRef<readonly string[]>([]);
  const held = useSignal(false); // the order stays while somebody points at the rows or edits one
  const sorted = useComputed(() => {
    const session = open.session.value;
    if (!session) return [];
    const found = sortVariables(session, {
      filter: filter.value, hidden: showHidden.value, order: sortOrder.value,
      held: held.value ? order.current : null,
    });
    order.current = found.map((each) => each.name);
    return found;
  }).value;
  useEffect(() => {
    open.patch = (patch) => tree.patch(patch);
    return () => {
      open.patch = () => {};
      open.look({ names: [], windows: [] });
    };
  }, []);
  const all = open.session.value?.variables.size ?? 0;
  const hidden = useComputed(() => hiddenCount(open)).value;
  useEffect(() => tree.keep(new Set(open.session.value?.variables.keys())), [open.session.value?.variables]);
  return (
    <aside class="variables" aria-label="Variables" data-testid="variables">
      <Head filter={filter.value} setFilter={(text) => { filter.value = text; }}
        shown={sorted.length} hidden={hidden} open={open} />
      <LeftOut count={open.session.value?.leftOut ?? 0} />
      <Watches open={open} />
      {sorted.length === 0
        ? <NoVariables open={open} all={all} filter={filter.value} />
        : <Table open={open} tree={tree} rows={new Rows(sorted, tree.open.value)}
            hold={(holding) => { held.value = holding; }} />}
    </aside>
  );
}

function Head({ filter, setFilter, shown, hidden, open }: {
  filter: string; setFilter: (text: string) => void; shown: number; hidden: number; open: OpenSession;
}) {
  const recent = sortOrder.value === "recent";
  return (
    <header class="panel-head">
      <div class="panel-title">
        <h2>Variables</h2> <span class="quiet" data-testid="variable-count">{shown ? shown.toLocaleString("en") : ""}</span>
        <span class="spring" />
        {open.editing.value && (
          <button class="small" data-testid="watch-new" title="Follow an expression while code runs (w)"
            onClick={() => writeWatch(open)}>Watch…</button>
        )}
        <button class="small" data-testid="variables-sort" title={recent ? "What changed last comes first. Change to: by name" : "By name. Change to: what changed last first"}
          onClick={() => { sortOrder.value = recent ? "name" : "recent"; }}>
          {recent ? "Recent first" : "By name"}
        </button>
        <button class="small" data-testid="variables-hidden" aria-pressed={showHidden.value}
          title="Modules and names that begin with _" onClick={() => { showHidden.value = !showHidden.value; }}>
          {showHidden.value ? "Hide _names" : `${hidden.toLocaleString("en")} hidden`}
        </button>
        <button class="plain narrow-only" aria-label="Close the variables"
          onClick={() => { panelOpen.value = false; }}><Icon name="close" /></button>
      </div>
      <label class="search-box">
        <Icon name="lens" />
        <input type="search" placeholder="Filter by name or type" aria-label="Filter the variables"
          data-testid="variables-filter" value={filter} spellcheck={false}
          onInput={(event) => setFilter(event.currentTarget.value)} />
      </label>
    </header>
  );
}

function LeftOut({ count: left }: { count: number }) {
  if (!left) return null;
  return (
    <p class="left-out quiet" data-testid="variables-left-out">
      {count(left, "more variable")} left out of this list: there are too many, or they are too large.{" "}
      <button class="link" onClick={() => { dialog.value = { kind: "usage" }; }}>Limits</button>
    </p>
  );
}

function hiddenCount(open: OpenSession): number {
  let hidden = 0;
  for (const each of open.session.value?.variables.values() ?? []) if (each.hidden) hidden++;
  return hidden;
}

function NoVariables({ open, all, filter }: { open: OpenSession; all: number; filter: string }) {
  return (
    <div class="empty small-empty" data-testid="variables-empty">
      {filter ? <p>No name or type has “{filter}” in it.</p>
        : all > 0 ? <p>{count(all, "name")} hidden: modules, and names that begin with _.{" "}
          <button class="link" onClick={() => { showHidden.value = true; }}>Show</button></p>
        : <p>Nothing is assigned yet.{open.editing.value && <> Try <code>x = 41</code>.</>}</p>}
    </div>
  );
}

function Table({ open, tree, rows, hold }: {
  open: OpenSession; tree: VariableTree; rows: Rows; hold: (holding: boolean) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const current = useSignal(0);
  const editing = useSignal<string | null>(null);
  const virtualizer = useVirtualizer({
    count: rows.count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    scrollPaddingStart: ROW_HEIGHT, // the place of a nested row lies over the first one
  });
  const at = Math.min(current.value, rows.count - 1);
  const select = (index: number) => {
    current.value = index;
    virtualizer.scrollToIndex(index, { align: "auto" });
  };
  const pressed = variableKeys({ open, tree, rows, at, editing, select });
  useEffect(() => open.look(inView(rows, virtualizer.getVirtualItems().map(({ index }) => index))));
  const top = Math.floor((virtualizer.scrollOffset ?? 0) / ROW_HEIGHT);
  return (
    <div ref={scroller} class="variable-rows" role="treegrid" aria-label="Variables" tabIndex={0}
      aria-rowcount={rows.count} aria-activedescendant={`variable-${at}`} onKeyDown={pressed}
      onPointerEnter={() => hold(true)} onPointerLeave={() => hold(editing.value !== null)}>
      <Place rows={rows} top={top} select={select} />
      <div class="rows" style={{ height: `${virtualizer.getTotalSize()}px` }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => {
          const row = rows.at(index);
          return row && (
            <VariableRow key={row.kind === "value" ? JSON.stringify(row.path) : `${row.kind} ${index}`}
              row={row} index={index} start={start} selected={index === at} open={open} tree={tree}
              editing={editing} select={() => { current.value = index; }} />
          );
        })}
      </div>
    </div>
  );
}

/** Inside of what the rows at the top are, once its own row is out of view. */
function Place({ rows, top, select }: { rows: Rows; top: number; select: (index: number) => void }) {
  const row = rows.at(top);
  if (row?.kind !== "value" || !row.parent) return null;
  return (
    <div class="tree-place" role="presentation">
      <button class="small" tabIndex={-1} title="To where it begins (←)" data-testid="tree-place"
        onClick={() => select(parentIndex(rows, top, row.depth))}>{pythonExpression(row.parent.path)}</button>
    </div>
  );
}
