// Asks for the server token when the tab has none, or one that the server refuses.
import { useState } from "preact/hooks";

import { CallRefused } from "../connection.ts";
import { connection, link, refusedLink, route, useServerToken } from "../page.ts";
import { Logo } from "./icons.tsx";

export function TokenScreen() {
  const [token, setToken] = useState("");
  const refused = connection.value !== null && link.value === "refused";
  const submit = (event: Event) => {
    event.preventDefault();
    const entered = tokenIn(token);
    if (entered) useServerToken(entered);
  };
  return (
    <main class="centre">
      <form class="card token-card" onSubmit={submit} data-testid="token-screen">
        <h1><Logo /> Watchglass</h1>
        <Reason isRefused={refused} />
        <label>
          <span>Server token, or the whole address that the server printed</span>
          <input type="password" value={token} autoFocus autocomplete="off" spellcheck={false}
            data-testid="token-input" onInput={(event) => setToken(event.currentTarget.value)} />
        </label>
        <button class="primary" disabled={!tokenIn(token)} data-testid="token-submit">Open</button>
        <p class="quiet">The line <code>watchglass is ready at …/#token=…</code> in the terminal has
          it.{refusedLink.value === null && " If someone sent you a link, open that link again."}</p>
      </form>
    </main>
  );
}

/** Why a token is asked for. */
function Reason({ isRefused }: { isRefused: boolean }) {
  const error = refusedLink.value;
  if (error) {
    const hint = error instanceof CallRefused ? error.hint : "";
    return <p class="warn" role="alert" data-testid="link-refused">{error.message} {hint}</p>;
  }
  if (isRefused) {
    return <p class="warn" role="alert" data-testid="token-refused">The server refused this tab's
      token. It was revoked, has expired, or belongs to an earlier start of the server.</p>;
  }
  return <p>{route.value.screen === "session"
    ? "This session needs a token." : "This server needs a token."}</p>;
}

function tokenIn(text: string): string {
  return /#token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
}
