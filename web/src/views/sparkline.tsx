// The curve of a variable's numbers, change by change; drawn by hand, it moves the scrubber.
import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import { downsample, type Dot, type Gap } from "../downsampling.ts";
import { count } from "../format.ts";
import type { OpenHistory } from "../open_history.ts";
import { extremes, nearest, shortNumber, type Extremes, type Point } from "../variable_history.ts";

const HEIGHT = 104;
// Half the slider's thumb: the curve's points stand above its places.
const EDGE = 8;
const ROOM = 10;
const TICK = 6;

export function Sparkline({ history }: { history: OpenHistory }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(600);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const resized = new ResizeObserver(() => { width.value = element.clientWidth; });
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  const range = useComputed(() => extremes(history.points.value)).value;
  const scale = scaleOf(history.points.value, width.value, range);
  const lookAt = (event: PointerEvent) => {
    const { left } = (event.currentTarget as Element).getBoundingClientRect();
    history.look(nearest(history.points.value, scale.nthAt(event.clientX - left)));
  };
  return (
    <div class="sparkline-frame">
      <div ref={box} class="sparkline" data-testid="sparkline"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          lookAt(event);
        }}
        onPointerMove={(event) => { if (event.buttons & 1) lookAt(event); }}>
        <svg width={width.value} height={HEIGHT} role="img" aria-label={spoken(history.points.value, range)}>
          <Curve history={history} width={width.value} scale={scale} />
          <Cursor point={history.comparing.value === null ? null : history.other.value} history={history} scale={scale} name="compared" />
          <Cursor point={history.point.value} history={history} scale={scale} name="looked-at" />
        </svg>
      </div>
      {range && <Labels history={history} range={range} />}
    </div>
  );
}

interface Scale {
  x: (index: number) => number;
  y: (value: number) => number;
  nthAt: (x: number) => number;
}

/** Across by the number of the change, those that are not kept included: the curve keeps its shape. */
function scaleOf(points: readonly Point[], width: number, range: Extremes | null): Scale {
  const first = points[0]?.nth ?? 1;
  const span = Math.max(1, (points.at(-1)?.nth ?? 1) - first);
  const inner = Math.max(1, width - 2 * EDGE);
  const low = range?.lowest.amount ?? 0;
  const size = (range?.highest.amount ?? 0) - low;
  return {
    x: (index) => EDGE + ((points[index]?.nth ?? first) - first) / span * inner,
    y: (value) => size > 0 ? HEIGHT - ROOM - (value - low) / size * (HEIGHT - 2 * ROOM) : HEIGHT / 2,
    nthAt: (x) => first + (x - EDGE) / inner * span,
  };
}

function Curve({ history, width, scale }: { history: OpenHistory; width: number; scale: Scale }) {
  const drawing = useComputed(() => history.points.value.map(({ amount }) => amount)).value;
  const { lines, gaps } = downsample(drawing, Math.floor(width));
  return (
    <>
      {lines.map((line) => line.length > 1
        ? <path key={line[0]?.index} class="curve" d={pathOf(line, scale)} />
        : <circle key={line[0]?.index} class="curve-dot" r="2" cx={scale.x(line[0]?.index ?? 0)} cy={scale.y(line[0]?.value ?? 0)} />)}
      <path class="gap-ticks none" d={ticks(gaps.filter(({ kind }) => kind === "none"), scale)} />
      <path class="gap-ticks" d={ticks(gaps.filter(({ kind }) => kind !== "none"), scale)} />
    </>
  );
}

function pathOf(line: readonly Dot[], { x, y }: Scale): string {
  return line.map(({ index, value }, at) => `${at === 0 ? "M" : "L"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}

/** NaN and -inf stand at the foot, inf at the top. */
function ticks(gaps: readonly Gap[], { x }: Scale): string {
  return gaps.map(({ index, kind }) => `M${x(index).toFixed(1)} ${kind === "inf" ? 0 : HEIGHT - TICK}v${TICK}`).join("");
}

function Cursor({ point, history, scale, name }: { point: Point | null; history: OpenHistory; scale: Scale; name: string }) {
  if (!point) return null;
  const x = scale.x(history.points.value.indexOf(point));
  const { amount } = point;
  return (
    <g class={`cursor ${name}`}>
      <line x1={x} x2={x} y1="0" y2={HEIGHT} />
      {amount !== null && Number.isFinite(amount) && <circle cx={x} cy={scale.y(amount)} r="4" />}
    </g>
  );
}

/** At the height of what they name; each leads there. */
function Labels({ history, range: { lowest, highest } }: { history: OpenHistory; range: Extremes }) {
  const button = (name: string, point: Point) => (
    <button class="plain" data-testid={`history-${name}`} title={`Show the ${name}`} aria-label={`${name}: ${shortNumber(point.amount ?? 0)}`}
      onClick={() => history.look(history.points.value.indexOf(point))}>{shortNumber(point.amount ?? 0)}</button>
  );
  return (
    <div class="sparkline-labels">
      {button("highest", highest)}
      {highest !== lowest && button("lowest", lowest)}
    </div>
  );
}

function spoken(points: readonly Point[], range: Extremes | null): string {
  const between = range ? `between ${shortNumber(range.lowest.amount ?? 0)} and ${shortNumber(range.highest.amount ?? 0)}` : "none of them finite";
  const nans = points.filter(({ amount }) => amount !== null && Number.isNaN(amount)).length;
  return `${count(points.length, "change")}, ${between}${nans ? `, ${nans} times NaN` : ""}`;
}
