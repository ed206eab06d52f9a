// Dark, light, or as the system has it.
import { theme, type Theme } from "../preferences.ts";

const NEXT: Record<Theme, Theme> = { system: "dark", dark: "light", light: "system" };
const SIGN: Record<Theme, string> = { system: "◐", dark: "●", light: "○" };

export function nextTheme(): void {
  theme.value = NEXT[theme.value];
}

export function ThemeButton() {
  return (
    <button class="plain theme-button" onClick={nextTheme} data-testid="theme"
      title={`Colours: ${theme.value}`} aria-label={`Colours: ${theme.value}. Change`}>
      {SIGN[theme.value]}
    </button>
  );
}
