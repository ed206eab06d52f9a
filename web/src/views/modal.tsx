// A dialog over the page; the browser keeps the focus inside, closes it on Escape, and gives the focus back.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { dialog } from "../page.ts";
import { Icon } from "./icons.tsx";

interface Props {
  title: string;
  name: string;
  wide?: boolean;
  page?: boolean; // as much room as there is
  bare?: boolean; // no heading: the content has its own first line
  children: ComponentChildren;
}

let shown: HTMLDialogElement | null = null;

/** At once, before the page is drawn anew: whoever closes it may give the focus to something behind it. */
export function closeDialog(): void {
  const element = shown;
  shown = null;
  element?.close();
  dialog.value = null;
}

/** What has the focus, also inside of a shadow root: the editor's host alone cannot be given it back. */
function focused(): Element | null {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element;
}

export function Modal({ title, name, wide = false, page = false, bare = false, children }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  // Before the browser draws: what is typed at once belongs into the dialog.
  useLayoutEffect(() => {
    const before = focused();
    const element = box.current;
    shown = element;
    element?.showModal();
    return () => {
      if (shown === element) shown = null;
      if (!element?.open) return; // the browser has given the focus back when it was closed
      element.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={box} class={`modal ${wide ? "wide" : ""} ${page ? "page" : ""} ${bare ? "bare" : ""}`} aria-label={title}
      data-testid={`dialog-${name}`} onClose={() => { if (shown === box.current) closeDialog(); }}
      onMouseDown={(event) => { if (event.target === box.current) closeDialog(); }}>
      <div class="modal-body">
        {!bare && (
          <header class="modal-head">
            <h2>{title}</h2>
            <button class="plain" aria-label="Close" onClick={closeDialog}><Icon name="close" /></button>
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
