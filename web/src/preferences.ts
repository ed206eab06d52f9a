// What this browser remembers of how its person likes the page; nothing of any session's content.
import { effect, signal, type Signal } from "@preact/signals";

export type Theme = "system" | "dark" | "light";
export type SortOrder = "recent" | "name";

function remembered<T>(name: string, initial: T): Signal<T> {
  const key = `watchglass.${name}`;
  const value = signal<T>(read(key, initial));
  effect(() => write(key, JSON.stringify(value.value)));
  return value;
}

export const theme = remembered<Theme>("theme", "system");
export const sortOrder = remembered<SortOrder>("sort", "recent");
export const showHidden = remembered<boolean>("show-hidden", false);
export const panelOpen = remembered<boolean>("panel-open", true);
export const panelWidth = remembered<number>("panel-width", 420);
export const ownName = remembered<string>("name", "");

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});

function read<T>(key: string, initial: T): T {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    return typeof value === typeof initial ? value as T : initial;
  } catch {
    return initial;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that stores nothing still shows the page; it only forgets.
  }
}
