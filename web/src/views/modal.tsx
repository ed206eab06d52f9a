// A dialog over the page; the browser keeps the focus inside, closes it on Escape, and gives the focus back.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { dialog } from "../page.ts";
import { Icon } from "./icons.tsx";

interface Props {
  title: string;
  name: string;
  wide?: boolean;
  bare?: boolean; // no heading: the content has its own first line
  children: ComponentChildren;
}

export function closeDialog(): void {
  dialog.value = null;
}

export function Modal({ title, name, wide = false, bare = false, children }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  // Before the browser draws: what is typed at once belongs into the dialog.
  useLayoutEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={box} class={`modal ${wide ? "wide" : ""} ${bare ? "bare" : ""}`} aria-label={title}
      data-testid={`dialog-${name}`} onClose={closeDialog}
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
