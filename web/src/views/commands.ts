// What can be done on this screen, by name: for the palette, the menu and the keys.
import { fetchExport } from "../connection.ts";
import { attempt, inform } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { connection, createSession, dialog, go, isOwner, open } from "../page.ts";
import { panelOpen, showHidden, sortOrder } from "../preferences.ts";
import { serverToken, sessionToken } from "../tokens.ts";
import { writeWatch } from "../watch_draft.ts";
import { nextTheme } from "./theme_button.tsx";

export interface Command {
  title: string;
  group: "run" | "see" | "people" | "keep" | "page";
  keys?: string;
  possible: boolean;
  run: () => void;
}

export function commands(): Command[] {
  const session = open.value;
  return [...(session ? sessionCommands(session) : []), ...pageCommands()];
}

function sessionCommands(session: OpenSession): Command[] {
  const [editing, owning] = [session.editing.value, session.owning.value];
  return [
    { title: "Interrupt", group: "run", keys: "Ctrl C", possible: editing, run: () => attempt(() => session.interrupt()) },
    { title: "Write code", group: "run", possible: editing, run: () => session.focusEditor() },
    { title: "Search the history", group: "run", keys: "Ctrl R", possible: editing, run: () => { dialog.value = { kind: "search" }; } },
    { title: "Scripts…", group: "run", possible: session.scripts.list.value.watching,
      run: () => { dialog.value = { kind: "scripts" }; } },
    { title: "Clear the view", group: "see", keys: "Ctrl L", possible: true, run: () => session.clearView() },
    { title: "Show or hide the variables", group: "see", keys: "Ctrl J", possible: true, run: () => { panelOpen.value = !panelOpen.value; } },
    { title: "Watch an expression…", group: "see", possible: editing, run: () => {
      panelOpen.value = true;
      writeWatch(session);
    } },
    { title: "Sort variables by name or by change", group: "see", possible: true,
      run: () => { sortOrder.value = sortOrder.value === "name" ? "recent" : "name"; } },
    { title: "Show or hide modules and _names", group: "see", possible: true, run: () => { showHidden.value = !showHidden.value; } },
    { title: "Limits…", group: "see", possible: true, run: () => { dialog.value = { kind: "usage" }; } },
    { title: "Share…", group: "people", possible: owning, run: () => { dialog.value = { kind: "share" }; } },
    { title: "People…", group: "people", possible: true, run: () => { dialog.value = { kind: "people" }; } },
    { title: "Rename the session…", group: "people", possible: owning, run: () => rename(session) },
    { title: "Restart Python…", group: "keep", possible: owning, run: () => confirmRestart(session) },
    ...(["py", "ipynb", "json"] as const).map((format) => ({
      title: `Export as .${format}`, group: "keep" as const, possible: true, run: () => attempt(() => download(session, format)),
    })),
    { title: "Destroy the session…", group: "keep", possible: owning, run: () => confirmDestroy(session.id, session.session.value?.name ?? "", () => go({ screen: "sessions" })) },
    { title: "Back to the sessions", group: "page", possible: true, run: () => go({ screen: "sessions" }) },
  ];
}

function pageCommands(): Command[] {
  return [
    { title: "New session", group: "page", possible: isOwner.value, run: () => attempt(createSession) },
    { title: "Change the colours", group: "page", possible: true, run: nextTheme },
    { title: "Keys and help", group: "page", keys: "?", possible: true, run: () => { dialog.value = { kind: "help" }; } },
  ];
}

function rename(session: OpenSession): void {
  dialog.value = { kind: "rename", session: session.id, name: session.session.value?.name ?? "" };
}

export function confirmRestart(session: OpenSession): void {
  dialog.value = {
    kind: "confirm",
    title: "Restart Python?",
    text: "What runs is stopped and every variable is gone. The transcript stays.",
    action: "Restart",
    run: async () => await session.call("restart", {}),
  };
}

export function confirmDestroy(session: string, name: string, then: () => void = () => {}): void {
  dialog.value = {
    kind: "confirm",
    title: `Destroy “${name || session}”?`,
    text: "Its variables, its transcript and its links are gone for everybody. This cannot be taken back.",
    action: "Destroy",
    run: async () => {
      await connection.value?.call("session.destroy", { session });
      then();
    },
  };
}

async function download(session: OpenSession, format: string): Promise<void> {
  const token = serverToken() ?? sessionToken(session.id)?.token ?? "";
  const { blob, filename } = await fetchExport(session.id, format, token);
  const address = URL.createObjectURL(blob);
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = filename;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  inform(`${filename} is in your downloads.`);
}
