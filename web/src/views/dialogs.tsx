// Whichever dialog is open.
import { useSignal } from "@preact/signals";

import { attempt } from "../notices.ts";
import { connection, dialog, open, type Dialog } from "../page.ts";
import { HelpDialog } from "./help.tsx";
import { SearchDialog } from "./history_search.tsx";
import { closeDialog, Modal } from "./modal.tsx";
import { PaletteDialog } from "./palette.tsx";
import { PeopleDialog } from "./people.tsx";
import { ScriptsDialog } from "./scripts.tsx";
import { ShareDialog } from "./share.tsx";
import { UsageDialog } from "./usage.tsx";
import { VariablePage } from "./variable_page.tsx";
import { WatchDialog } from "./watch_dialog.tsx";

export function Dialogs() {
  const which = dialog.value;
  const session = open.value;
  switch (which?.kind) {
    case "help": return <HelpDialog />;
    case "palette": return <PaletteDialog />;
    case "confirm": return <ConfirmDialog dialog={which} />;
    case "rename": return <RenameDialog key={which.session} dialog={which} />;
    case "link": return <LinkDialog address={which.address} />;
  }
  if (!session) return null;
  switch (which?.kind) {
    case "share": return <ShareDialog open={session} />;
    case "scripts": return <ScriptsDialog open={session} />;
    case "people": return <PeopleDialog open={session} />;
    case "usage": return <UsageDialog open={session} />;
    case "search": return <SearchDialog open={session} />;
    case "watch": return <WatchDialog open={session} watch={which.watch} />;
    case "variable": return <VariablePage key={JSON.stringify(which.path)} open={session} path={which.path} />;
    default: return null;
  }
}

function ConfirmDialog({ dialog: { title, text, action, run } }: {
  dialog: Extract<Dialog, { kind: "confirm" }>;
}) {
  const agree = () => {
    closeDialog();
    attempt(run);
  };
  return (
    <Modal title={title} name="confirm">
      <p>{text}</p>
      <div class="modal-actions">
        <button onClick={closeDialog} autoFocus>Cancel</button>
        <button class="primary danger" data-testid="confirm" onClick={agree}>{action}</button>
      </div>
    </Modal>
  );
}

function RenameDialog({ dialog: { session, name } }: { dialog: Extract<Dialog, { kind: "rename" }> }) {
  const next = useSignal(name);
  const submit = (event: Event) => {
    event.preventDefault();
    closeDialog();
    attempt(async () => await connection.value?.call("session.rename", { session, name: next.value.trim() }));
  };
  return (
    <Modal title="Rename the session" name="rename">
      <form onSubmit={submit}>
        <label><span>Name</span>
          <input value={next.value} autoFocus maxLength={200} data-testid="rename-input"
            onFocus={(event) => event.currentTarget.select()}
            onInput={(event) => { next.value = event.currentTarget.value; }} />
        </label>
        <div class="modal-actions">
          <button type="button" onClick={closeDialog}>Cancel</button>
          <button class="primary" disabled={!next.value.trim()} data-testid="rename-submit">Rename</button>
        </div>
      </form>
    </Modal>
  );
}

/** Output may ask to open an address; only a person's click here does it. */
function LinkDialog({ address }: { address: string }) {
  return (
    <Modal title="Open this address?" name="link">
      <p>The output of the session has a link to</p>
      <p class="address"><code>{address}</code></p>
      <div class="modal-actions">
        <button onClick={closeDialog}>Cancel</button>
        <a class="button primary" href={address} target="_blank" rel="noopener noreferrer"
          data-testid="link-open" onClick={closeDialog}>Open in a new tab</a>
      </div>
    </Modal>
  );
}
