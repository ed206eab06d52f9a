// What the browser's tab shows of a session that is not looked at: a sign before its name, a colour in its picture.
import { effect } from "@preact/signals";

import type { Link } from "./connection.ts";
import type { OpenSession } from "./open_session.ts";
import { link, open } from "./page.ts";

export type TabState = "idle" | "busy" | "alert" | "asks" | "dead" | "away";

const SIGNS: Record<TabState, string> = { idle: "", busy: "▶ ", alert: "! ", asks: "? ", dead: "✕ ", away: "⚠ " };
const COLOURS: Record<TabState, string> = {
  idle: "#14a38b", busy: "#e09a1a", alert: "#d0392f", asks: "#3b82d6", dead: "#d0392f", away: "#8a999e",
};

export function showInTab(): () => void {
  return effect(() => {
    const session = open.value?.session.value;
    const name = session?.name || session?.session;
    const state = open.value ? stateOf(open.value, link.value) : "idle";
    const title = name ? `${SIGNS[state]}${name} · Watchglass` : "Watchglass";
    if (document.title !== title) document.title = title;
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    const picture = pictureOf(state);
    if (icon && icon.getAttribute("href") !== picture) icon.href = picture;
  });
}

function stateOf(of: OpenSession, connected: Link): TabState {
  const session = of.session.value;
  if (connected === "disconnected") return "away";
  if (!session) return "idle";
  if (session.process.state === "dead") return "dead";
  if (session.inputs.length > 0) return "asks";
  if (of.alerted.value) return "alert";
  return session.process.state === "busy" || of.running.value ? "busy" : "idle";
}

/** The logo; its middle is filled while something is going on. */
function pictureOf(state: TabState): string {
  const colour = COLOURS[state];
  const radius = state === "idle" || state === "away" ? 2 : 4;
  return `data:image/svg+xml,${encodeURIComponent(
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>" +
    `<circle cx='8' cy='8' r='6.2' fill='none' stroke='${colour}' stroke-width='2.2'/>` +
    `<circle cx='8' cy='8' r='${radius}' fill='${colour}'/></svg>`)}`;
}
