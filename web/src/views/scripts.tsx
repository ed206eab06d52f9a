// Files of the folder that the server watches: offered when one has changed, and the list of all.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { count } from "../format.ts";
import type { ScriptEntry } from "../messages.ts";
import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { standing, type Load } from "../watched_scripts.ts";
import { Icon } from "./icons.tsx";
import { Modal } from "./modal.tsx";

const OFFERS_SHOWN = 5;

interface Props {
  open: OpenSession;
}

export function ScriptBanner({ open }: Props) {
  const offers = open.scripts.offers.value;
  if (offers.length === 0 || !open.editing.value) return null;
  const more = offers.length - OFFERS_SHOWN;
  return (
    <section class="banner scripts" role="status" data-testid="script-banner" aria-label="Files that have changed">
      <ul>
        {offers.slice(0, OFFERS_SHOWN).map((each) => <Offer key={each.path} open={open} entry={each} />)}
        {more > 0 && <li class="quiet">and {count(more, "more file")}</li>}
      </ul>
      {offers.length > 1 && (
        <button class="small" data-testid="script-reload-all"
          onClick={() => attempt(() => take(open, offers, {}))}>Reload all {offers.length}</button>
      )}
    </section>
  );
}

function Offer({ open, entry }: Props & { entry: ScriptEntry }) {
  const { path } = entry;
  return (
    <li data-testid="script-offer" data-path={path}>
      <span class="banner-text"><code>{path}</code> has changed on disk.</span>
      <button class="small primary" data-testid="script-reload"
        onClick={() => attempt(() => take(open, [entry], {}))}>Reload</button>
      <button class="small" data-testid="script-always" title="Now, and whenever it changes"
        onClick={() => attempt(() => take(open, [entry], { reload: "auto" }))}>Always</button>
      <button class="plain" data-testid="script-dismiss" aria-label={`Leave ${path} as it is`}
        onClick={() => {
          open.focusEditor();
          open.scripts.answer(entry);
        }}><Icon name="close" /></button>
    </li>
  );
}

async function load(open: OpenSession, entry: ScriptEntry, how: Omit<Load, "path">): Promise<void> {
  await open.call("script.load", { path: entry.path, ...how });
  open.scripts.answer(entry);
  open.executedHere.value += 1;
}

/** From the banner, whose buttons are gone then: what is typed next belongs into the editor. */
async function take(open: OpenSession, entries: readonly ScriptEntry[], how: Omit<Load, "path">): Promise<void> {
  open.focusEditor();
  for (const entry of entries) await load(open, entry, how);
}

export function ScriptsDialog({ open }: Props) {
  useEffect(() => attempt(() => open.scripts.refresh()), []);
  const { scripts, refused } = open.scripts.list.value;
  return (
    <Modal title="Scripts" name="scripts" wide>
      <p class="quiet">
        Python files of the folder that the server watches. Run one in this session, or import it by its name.
      </p>
      {scripts.length === 0 ? <p class="quiet" data-testid="scripts-none">The folder has no Python file yet.</p>
        : <Files open={open} scripts={scripts} />}
      {refused.length > 0 && (
        <details data-testid="scripts-refused">
          <summary>{count(refused.length, "file")} not given to sessions</summary>
          <ul class="refused">
            {refused.map(({ path, why }) => <li key={path}><code>{path}</code> {why}</li>)}
          </ul>
        </details>
      )}
    </Modal>
  );
}

function Files({ open, scripts }: Props & { scripts: readonly ScriptEntry[] }) {
  const sought = useSignal("");
  const shown = scripts.filter(({ path }) => path.toLowerCase().includes(sought.value.trim().toLowerCase()));
  return (
    <>
      {scripts.length > 8 && (
        <input type="search" placeholder="Find a file" aria-label="Find a file" value={sought.value}
          data-testid="scripts-find" onInput={(event) => { sought.value = event.currentTarget.value; }} />
      )}
      <table class="shares scripts-table" data-testid="scripts">
        <thead>
          <tr><th>File</th><th>In this session</th><th>When it changes</th>
            <th><span class="spoken">Actions</span></th></tr>
        </thead>
        <tbody>{shown.map((each) => <File key={each.path} open={open} entry={each} />)}</tbody>
      </table>
    </>
  );
}

function File({ open, entry }: Props & { entry: ScriptEntry }) {
  const { word, isBehind } = standing(entry);
  const { path, kind, version } = entry;
  return (
    <tr data-testid="script-row" data-path={path} data-state={word}>
      <td><code>{path}</code></td>
      <td class={isBehind ? "behind" : "quiet"}>{word}{kind && word !== "not loaded" && `, ${kind}`}</td>
      <td><Mode open={open} entry={entry} /></td>
      <td class="row-actions">
        {open.editing.value && version !== null && <Actions open={open} entry={entry} />}
      </td>
    </tr>
  );
}

function Mode({ open, entry: { path, kind, reload, version } }: Props & { entry: ScriptEntry }) {
  if (kind === null) return <span class="quiet">–</span>;
  return (
    <select class="small" value={reload} disabled={!open.editing.value || version === null}
      aria-label={`When ${path} changes`} data-testid="script-mode"
      onChange={(event) => {
        const chosen = event.currentTarget.value === "auto" ? "auto" : "ask";
        attempt(() => open.call("script.set", { path, reload: chosen }));
      }}>
      <option value="ask">ask</option>
      <option value="auto">reload by itself</option>
    </select>
  );
}

function Actions({ open, entry }: Props & { entry: ScriptEntry }) {
  const button = (title: string, how: Omit<Load, "path">, name: string) => (
    <button class="small" data-testid={name} onClick={() => attempt(() => load(open, entry, how))}>{title}</button>
  );
  if (entry.loaded !== null) return button("Reload", {}, "script-load");
  return (
    <>
      {button("Run", { kind: "script" }, "script-load")}
      {entry.importable && button("Import", { kind: "module" }, "script-import")}
    </>
  );
}
