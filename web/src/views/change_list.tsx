// Every change of a variable that is kept, the newest first; drawn only where it is in view.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { clock } from "../format.ts";
import { attempt } from "../notices.ts";
import type { OpenHistory } from "../open_history.ts";
import type { OpenSession } from "../open_session.ts";
import { place, placeOf, thinnedText, valueText, type Point } from "../variable_history.ts";
import { showExecution } from "./execution_link.tsx";
import { useVirtualizer } from "./virtual.ts";

const ROW_HEIGHT = 42;
const PAGE_ROWS = 8;

export function ChangeList({ open, history }: { open: OpenSession; history: OpenHistory }) {
  const scroller = useRef<HTMLDivElement>(null);
  const points = history.points.value;
  const selected = points.length - 1 - history.at.value;
  const virtualizer = useVirtualizer({
    count: points.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => points[points.length - 1 - index]?.seq ?? index,
    overscan: 6,
  });
  useEffect(() => virtualizer.scrollToIndex(selected, { align: "auto" }), [history.point.value?.seq]);
  useSteady(scroller, points);
  const note = history.reading.value ? "Reading older changes…" : thinnedText(points);
  return (
    <section class="history-list" aria-label="Changes">
      <h3>Changes <span class="quiet">newest first</span></h3>
      <div ref={scroller} class="changes" role="listbox" tabIndex={0} data-testid="variable-history"
        aria-label={`Changes of ${history.name}, newest first`} aria-activedescendant={`change-${points.length - 1 - selected}`}
        onKeyDown={listKeys(open, history)}>
        <div class="rows" role="presentation" style={{ height: `${virtualizer.getTotalSize()}px` }}>
          {virtualizer.getVirtualItems().map(({ key, index, start }) => {
            const at = points.length - 1 - index;
            const point = points[at];
            return point && (
              <Change key={key} point={point} at={at} start={start} selected={index === selected}
                compared={history.comparing.value === point.seq} look={() => history.look(at)} />
            );
          })}
        </div>
      </div>
      {note && <p class="quiet small-note" data-testid="history-thinned">{note}</p>}
      {history.hasOlder.value && !history.reading.value && (
        <button class="link" data-testid="history-older" onClick={() => attempt(() => history.readOlder())}>Show older changes</button>
      )}
    </section>
  );
}

/** Who reads further down goes on reading there when newer changes come in above. */
function useSteady(scroller: { current: HTMLElement | null }, points: readonly Point[]): void {
  const seen = useRef(points.at(-1)?.seq ?? 0);
  useLayoutEffect(() => {
    const element = scroller.current;
    const newer = points.length - 1 - placeOf(points, seen.current);
    seen.current = points.at(-1)?.seq ?? 0;
    if (element && element.scrollTop > 0) element.scrollTop += newer * ROW_HEIGHT;
  }, [points]);
}

interface Props {
  point: Point;
  at: number;
  start: number;
  selected: boolean;
  compared: boolean;
  look: () => void;
}

function Change({ point, at, start, selected, compared, look }: Props) {
  return (
    <div class={`change ${selected ? "current" : ""} ${compared ? "compared" : ""}`} id={`change-${at}`} role="option"
      aria-selected={selected} data-testid="history-change" data-seq={point.seq}
      style={{ transform: `translateY(${start}px)` }} onClick={look}>
      <code class={point.op === "delete" ? "quiet" : ""}>{valueText(point)}</code>
      <span class="change-source">
        <time dateTime={point.time}>{clock(point.time)}</time> <span>{place(point)}</span> {point.author && <span class="author">{point.author}</span>}
      </span>
    </div>
  );
}

function listKeys(open: OpenSession, history: OpenHistory) {
  return (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = history.at.value;
    const point = history.point.value;
    const steps: Record<string, number> = {
      ArrowDown: -1, j: -1, ArrowUp: 1, k: 1, PageDown: -PAGE_ROWS, PageUp: PAGE_ROWS,
      Home: history.points.value.length, End: -at,
    };
    const step = steps[event.key];
    if (step !== undefined) history.look(at + step);
    else if (event.key === "c" && point) history.comparing.value = history.comparing.value === null ? point.seq : null;
    else if (event.key === "Enter" && point?.execution) showExecution(open, point.execution);
    else return;
    event.preventDefault();
  };
}
