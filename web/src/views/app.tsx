// The whole page: the screen of the address, and what lies over every screen.
import { useEffect } from "preact/hooks";

import { announcement } from "../notices.ts";
import { connection, link, open, opening, route } from "../page.ts";
import { Dialogs } from "./dialogs.tsx";
import { Notices } from "./notices.tsx";
import { pageKeys } from "./page_keys.ts";
import { SessionScreen } from "./session_screen.tsx";
import { SessionsScreen } from "./sessions_screen.tsx";
import { TokenScreen } from "./token_screen.tsx";

export function App() {
  useEffect(pageKeys, []);
  return (
    <>
      <Screen />
      <Dialogs />
      <Notices />
      <div class="spoken" role="status" aria-live="polite">{announcement.value}</div>
    </>
  );
}

function Screen() {
  if (opening.value) return <main class="centre"><p class="quiet">Opening the shared session…</p></main>;
  if (!connection.value || link.value === "refused") return <TokenScreen />;
  if (route.value.screen === "session" && open.value) {
    return <SessionScreen key={open.value.id} open={open.value} />;
  }
  return <SessionsScreen />;
}
