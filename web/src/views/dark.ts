// Whether the page is dark now, by choice or by the system.
import { signal } from "@preact/signals";

import { theme } from "../preferences.ts";

const query = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(query.matches);
query.addEventListener("change", () => { systemDark.value = query.matches; });

export function useDark(): boolean {
  return theme.value === "system" ? systemDark.value : theme.value === "dark";
}
