// The rows of the transcript between the two ends of a selection: drawn as long as it lasts, wherever the view is.

// Further ones are not kept: to draw them would take longer than to scroll.
const KEPT = 1000;

export function selectedRows(scroller: HTMLElement | null): number[] {
  const selection = document.getSelection();
  if (!scroller || !selection || selection.isCollapsed) return [];
  const ends = [selection.anchorNode, selection.focusNode].flatMap((node) => rowOf(scroller, node) ?? []);
  if (ends.length === 0) return [];
  const [first, last] = [Math.min(...ends), Math.max(...ends)];
  return Array.from({ length: Math.min(KEPT, last - first + 1) }, (_, offset) => first + offset);
}

function rowOf(scroller: HTMLElement, node: Node | null): number | null {
  if (!node || !scroller.contains(node)) return null;
  const element = node instanceof Element ? node : node.parentElement;
  const index = element?.closest<HTMLElement>(".row")?.dataset["index"];
  return index === undefined ? null : Number(index);
}
