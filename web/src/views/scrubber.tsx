// Through all that a variable has been: a curve for numbers, a slider under it, and the value at that place.
import { useComputed } from "@preact/signals";

import { clock } from "../format.ts";
import type { OpenHistory } from "../open_history.ts";
import type { OpenSession } from "../open_session.ts";
import { nearest, ordinal, place, valueText, type Point } from "../variable_history.ts";
import { ExecutionLink } from "./execution_link.tsx";
import { Sparkline } from "./sparkline.tsx";

export function Scrubber({ open, history }: { open: OpenSession; history: OpenHistory }) {
  const points = history.points.value;
  const point = history.point.value;
  const hasCurve = useComputed(() => history.points.value.filter(({ amount }) => amount !== null).length > 1).value;
  if (!point) return null;
  return (
    <>
      {hasCurve && <Sparkline history={history} />}
      {points.length > 1 && (
        <input type="range" class="scrubber" min={points[0]?.nth} max={points.at(-1)?.nth} step={1} value={point.nth}
          aria-label={`Change of ${history.name}`} aria-valuetext={`${ordinal(point, points)}: ${valueText(point)}, ${place(point)}`}
          data-testid="scrubber" onKeyDown={scrubberKeys(history)}
          onInput={(event) => history.look(nearest(points, event.currentTarget.valueAsNumber))} />
      )}
      <PointHead open={open} history={history} point={point} />
      <pre class="point-value" data-testid="scrubbed-value">{valueText(point)}</pre>
    </>
  );
}

/** From one change that is kept to the next, however many were between them. */
function scrubberKeys(history: OpenHistory) {
  return (event: KeyboardEvent): void => {
    const last = history.points.value.length - 1;
    const page = Math.max(1, Math.round(last / 20));
    const steps: Record<string, number> = {
      ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -page, PageUp: page, Home: -last, End: last,
    };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    history.look(history.at.value + step);
    event.preventDefault();
  };
}

function PointHead({ open, history, point }: { open: OpenSession; history: OpenHistory; point: Point }) {
  const pinned = history.comparing.value;
  return (
    <div class="point-head">
      <span data-testid="scrubbed-place">
        <strong>{ordinal(point, history.points.value)}</strong>{" "}
        <span class="quiet">
          {clock(point.time)} · {point.execution === null ? "by hand" : <><ExecutionLink open={open} point={point} />{point.line === null ? "" : `, line ${point.line}`}</>}
          {point.author ? ` · ${point.author}` : ""}
        </span>
      </span>
      <span class="spring" />
      {history.looking.value !== null && (
        <button class="small" data-testid="scrub-latest" onClick={() => { history.looking.value = null; }}>To the latest</button>
      )}
      {history.points.value.length > 1 && <button class="small" data-testid="compare" aria-pressed={pinned !== null}
        title={pinned === null ? "Then go to another change: the difference of the two shows" : "Show the difference to the change before again"}
        onClick={() => { history.comparing.value = pinned === null ? point.seq : null; }}>
        {pinned === null ? "Compare from here" : "End comparing"}
      </button>}
    </div>
  );
}
