// @tanstack/virtual-core as a hook: only the rows in view are drawn.
import {
  elementScroll, observeElementOffset, observeElementRect, Virtualizer, type VirtualizerOptions,
} from "@tanstack/virtual-core";
import { useEffect, useLayoutEffect, useReducer, useRef } from "preact/hooks";

type Options = Pick<
  VirtualizerOptions<HTMLElement, HTMLElement>,
  "count" | "getScrollElement" | "estimateSize"
> & Partial<VirtualizerOptions<HTMLElement, HTMLElement>>;

export function useVirtualizer(options: Options): Virtualizer<HTMLElement, HTMLElement> {
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  const held = useRef<Virtualizer<HTMLElement, HTMLElement> | null>(null);
  const complete = {
    observeElementRect, observeElementOffset, scrollToFn: elementScroll, ...options,
    onChange: () => redraw(),
  };
  held.current ??= new Virtualizer(complete);
  const virtualizer = held.current;
  virtualizer.setOptions(complete);
  useEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  return virtualizer;
}
