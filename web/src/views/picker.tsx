// A text box over a list that it filters; the arrow keys choose, Enter takes.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props<T> {
  placeholder: string;
  name: string;
  items: (query: string) => readonly T[];
  keyOf: (item: T) => string;
  draw: (item: T) => ComponentChildren;
  take: (item: T) => void;
  nothing: string;
}

export function Picker<T>({ placeholder, name, items, keyOf, draw, take, nothing }: Props<T>) {
  const query = useSignal("");
  const chosen = useSignal(0);
  const list = useRef<HTMLUListElement>(null);
  const found = items(query.value);
  const at = Math.min(chosen.value, Math.max(0, found.length - 1));
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, query.value]);
  const move = (by: number) => { chosen.value = Math.max(0, Math.min(found.length - 1, at + by)); };
  const pressed = (event: KeyboardEvent) => {
    const { key, ctrlKey } = event;
    if (key === "ArrowDown" || ctrlKey && (key === "n" || key === "s")) move(1);
    else if (key === "ArrowUp" || ctrlKey && key === "p") move(-1);
    else if (ctrlKey && key === "r") move(1);
    else if (key === "Enter" && !event.isComposing && found[at] !== undefined) take(found[at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="picker" onKeyDown={pressed}>
      <input value={query.value} placeholder={placeholder} aria-label={placeholder} autoFocus
        role="combobox" aria-expanded="true" aria-controls={`${name}-list`} spellcheck={false}
        autocomplete="off" aria-activedescendant={`${name}-${at}`} data-testid={`${name}-input`}
        onInput={(event) => {
          query.value = event.currentTarget.value;
          chosen.value = 0;
        }} />
      <ul ref={list} role="listbox" id={`${name}-list`}>
        {found.map((item, index) => (
          <li key={keyOf(item)} id={`${name}-${index}`} role="option" aria-selected={index === at}
            data-testid={`${name}-item`} onMouseMove={() => { chosen.value = index; }}
            onClick={() => take(item)}>{draw(item)}</li>
        ))}
      </ul>
      {found.length === 0 && <p class="quiet pad">{nothing}</p>}
      <p class="picker-keys" aria-hidden="true">
        <span><kbd>↑</kbd> <kbd>↓</kbd> choose</span><span><kbd>Enter</kbd> take</span><span><kbd>Esc</kbd> close</span>
      </p>
    </div>
  );
}
