// The line between console and variables: dragged, or moved with the arrow keys.
import { panelWidth } from "../preferences.ts";

const MIN = 260;
const STEP = 24;

export function Splitter() {
  const dragged = (event: PointerEvent) => {
    if (event.buttons === 0) return;
    setWidth(innerWidth - event.clientX);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") setWidth(panelWidth.value + STEP);
    else if (event.key === "ArrowRight") setWidth(panelWidth.value - STEP);
    else return;
    event.preventDefault();
  };
  return (
    <div class="splitter" role="separator" aria-orientation="vertical" tabIndex={0}
      aria-label="Width of the variables" aria-valuenow={panelWidth.value} aria-valuemin={MIN}
      aria-valuemax={maxWidth()} onKeyDown={pressed} onPointerMove={dragged}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)} />
  );
}

function setWidth(width: number): void {
  panelWidth.value = Math.round(Math.max(MIN, Math.min(maxWidth(), width)));
}

function maxWidth(): number {
  // As the style sheet has it: what is left is enough to read the console.
  return Math.round(Math.max(MIN, innerWidth * 0.46, innerWidth - 640));
}
