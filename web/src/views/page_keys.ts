// The keys that work on every screen, wherever the focus is.
import { attempt } from "../notices.ts";
import { dialog, open } from "../page.ts";
import { panelOpen } from "../preferences.ts";

export function pageKeys(): () => void {
  addEventListener("keydown", pressed, true);
  return () => removeEventListener("keydown", pressed, true);
}

function pressed(event: KeyboardEvent): void {
  const mod = event.ctrlKey || event.metaKey;
  if (mod && event.key === "k" || event.key === "F1") dialog.value = { kind: "palette" };
  else if (mod && event.key === "j") panelOpen.value = !panelOpen.value;
  else if (dialog.value || isTyping(event)) return;
  else if (event.key === "?") dialog.value = { kind: "help" };
  else if (!(event.ctrlKey && event.key === "c" && interrupted())) return;
  event.preventDefault();
}

function isTyping(event: KeyboardEvent): boolean {
  return event.composedPath().some((each) => each instanceof HTMLElement &&
    (each.isContentEditable || each.matches("input, textarea, select")));
}

/** As in a terminal, where nothing is selected that could be copied. */
function interrupted(): boolean {
  const session = open.value;
  const nothingSelected = document.getSelection()?.isCollapsed !== false;
  if (!nothingSelected || !session?.editing.value || !session.running.value) return false;
  attempt(() => session.interrupt());
  return true;
}
