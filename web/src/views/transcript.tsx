// What was executed and what came of it: drawn only where it is in view, followed at its end.
import { defaultRangeExtractor } from "@tanstack/virtual-core";
import { useComputed } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { count } from "../format.ts";
import { attempt } from "../notices.ts";
import { isOpen, type OpenSession } from "../open_session.ts";
import { ExecutionSegment } from "./execution.tsx";
import { Icon } from "./icons.tsx";
import { PendingExecution } from "./pending.tsx";
import { estimateHeight, segmentsOf, type TranscriptRow } from "./segments.ts";
import { transcriptKeys } from "./transcript_keys.ts";
import { selectedRows } from "./selected_rows.ts";
import { useVirtualizer } from "./virtual.ts";

const NEAR_END = 40;
const FIRST_ROOM = 16;

export function Transcript({ open }: { open: OpenSession }) {
  const rows = useComputed(() => transcriptRows(open)).value;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimateHeight(rows[index] as TranscriptRow),
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 3,
    // The beginning of the last execution is always drawn: what runs now can be found however long it is.
    rangeExtractor: (range) => {
      const latest = rows.findLastIndex((row) => row.kind === "segment" && row.first);
      const drawn = new Set([...defaultRangeExtractor(range), ...selectedRows(scroller.current)]);
      if (latest >= 0) drawn.add(latest);
      return [...drawn].filter((index) => index < rows.length).sort((a, b) => a - b);
    },
    paddingStart: FIRST_ROOM,
    paddingEnd: FIRST_ROOM,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: NEAR_END,
  });
  const followed = useFollow(scroller, virtualizer.getTotalSize(), open.executedHere.value);
  useEffect(() => transcriptKeys(open, scroller, virtualizer, () => transcriptRows(open)), []);
  const away = scroller.current !== null && !followed.current && virtualizer.getDistanceFromEnd() > NEAR_END;
  const toRow = (key: string) => {
    const index = transcriptRows(open).findIndex((row) => row.key === key);
    if (index >= 0) virtualizer.scrollToIndex(index, { align: "start" });
  };
  useEffect(() => {
    open.showExecution = async (execution) => {
      await bringIntoView(open, execution);
      requestAnimationFrame(() => {
        open.focusTranscript();
        toRow(`${execution} 0`);
      });
    };
  }, []);
  const toEnd = () => {
    followed.current = true;
    virtualizer.scrollToIndex(rows.length - 1, { align: "end" });
  };
  return (
    <div class="transcript-frame">
      <div ref={scroller} class="transcript" data-testid="transcript" tabIndex={0} role="log"
        aria-live="off" aria-label="Transcript">
        {rows.length === 0 && <FirstSteps open={open} />}
        <div class="rows" style={{ height: `${virtualizer.getTotalSize()}px` }}>
          {virtualizer.getVirtualItems().map(({ key, index, start }) => {
            const row = rows[index];
            return row && (
              <div key={key} class="row" data-index={index} ref={virtualizer.measureElement}
                style={{ transform: `translateY(${start}px)` }}>
                <Row row={row} open={open} toRow={toRow} />
              </div>
            );
          })}
        </div>
      </div>
      {away && (
        <button class="to-end" data-testid="to-end" onClick={toEnd}><Icon name="down" /> To the end</button>
      )}
    </div>
  );
}

function transcriptRows(open: OpenSession): TranscriptRow[] {
  const executions = open.session.value?.executions ?? [];
  const cleared = open.clearedUpTo.value;
  const inView = executions.filter((each) => each.number > cleared || isOpen(each));
  const hidden = executions.length - inView.length;
  const rows: TranscriptRow[] = [];
  if (hidden > 0) rows.push({ kind: "cleared", key: "cleared", count: hidden });
  else if (open.hasEarlier.value) rows.push({ kind: "earlier", key: "earlier" });
  for (const execution of inView) rows.push(...segmentsOf(execution));
  for (const outgoing of open.outbox.value) {
    rows.push({ kind: "pending", key: `pending ${outgoing.execution}`, outgoing });
  }
  return rows;
}

interface RowProps {
  row: TranscriptRow;
  open: OpenSession;
  toRow: (key: string) => void;
}

function Row({ row, open, toRow }: RowProps) {
  switch (row.kind) {
    case "segment":
      return <ExecutionSegment segment={row} open={open} />;
    case "pending":
      return <PendingExecution outgoing={row.outgoing} open={open} />;
    case "earlier":
      return (
        <button class="row-note" data-testid="load-earlier"
          onClick={() => attempt(() => keepPlace(open, toRow))}>Show earlier executions</button>
      );
    case "cleared":
      return (
        <button class="row-note" data-testid="show-cleared" onClick={() => { open.clearedUpTo.value = 0; }}>
          {count(row.count, "execution")} cleared from view: show again
        </button>
      );
  }
}

/** What was first stays first in view when earlier executions are put before it. */
async function keepPlace(open: OpenSession, toRow: (key: string) => void): Promise<void> {
  const first = transcriptRows(open).find((row) => row.kind === "segment");
  await open.loadEarlier();
  if (first) requestAnimationFrame(() => toRow(first.key));
}

/** Executions that are not loaded yet, or cleared from view, are there afterwards. */
async function bringIntoView(open: OpenSession, execution: string): Promise<void> {
  const found = () => open.session.value?.executions.find((each) => each.execution === execution);
  while (!found() && open.hasEarlier.value) await open.loadEarlier();
  if ((found()?.number ?? Number.POSITIVE_INFINITY) <= open.clearedUpTo.value) open.clearedUpTo.value = 0;
  open.selected.value = execution;
}

/** Whoever reads further up is left there, until they execute something; whoever is at the end stays there. */
function useFollow(scroller: { current: HTMLElement | null }, height: number, executed: number) {
  const following = useRef(true);
  useEffect(() => {
    const element = scroller.current;
    const moved = () => {
      if (!element) return;
      following.current = element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR_END;
    };
    const resized = new ResizeObserver(() => toEnd(scroller, following));
    if (element) resized.observe(element);
    element?.addEventListener("scroll", moved, { passive: true });
    return () => {
      resized.disconnect();
      element?.removeEventListener("scroll", moved);
    };
  }, []);
  useLayoutEffect(() => {
    if (executed > 0) following.current = true;
  }, [executed]);
  useLayoutEffect(() => toEnd(scroller, following), [height, executed]);
  return following;
}

function toEnd(scroller: { current: HTMLElement | null }, following: { current: boolean }): void {
  if (following.current && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
}

function FirstSteps({ open }: { open: OpenSession }) {
  return (
    <div class="empty first-steps" data-testid="transcript-empty">
      <h2>Nothing was executed yet</h2>
      {open.editing.value ? (
        <>
          <p>Write Python below and press <kbd>Enter</kbd>. What you assign shows under Variables,
            also while the code runs.</p>
          <button onClick={() => open.replaceCode(EXAMPLE)}>Try an example</button>
        </>
      ) : <p>What the others execute will show here.</p>}
    </div>
  );
}

const EXAMPLE = `import time

for step in range(1, 101):
    squares = {n: n * n for n in range(step)}
    time.sleep(0.05)
`;
