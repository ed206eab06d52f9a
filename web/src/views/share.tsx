// Who may come in: a new link with a role, and the links that are out.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { absoluteLink } from "../address.ts";
import type { Role, Share } from "../messages.ts";
import { attempt, inform } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { Icon } from "./icons.tsx";
import { Modal } from "./modal.tsx";

const ROLES: Record<Role, string> = {
  viewer: "sees everything, changes nothing",
  editor: "executes code and changes variables",
  owner: "may do all that you may",
};
const EXPIRIES: [string, number | null][] = [
  ["in an hour", 3600], ["in a day", 86_400], ["in a week", 604_800], ["never", null],
];

export function ShareDialog({ open }: { open: OpenSession }) {
  const shares = useSignal<readonly Share[]>([]);
  const refresh = async () => { shares.value = (await open.call("session.shares", {})).shares; };
  useEffect(() => attempt(refresh), []);
  return (
    <Modal title="Share this session" name="share">
      <NewShare open={open} done={refresh} />
      <h3>Links and tokens that open it now</h3>
      <Shares open={open} shares={shares.value} done={refresh} />
    </Modal>
  );
}

function NewShare({ open, done }: { open: OpenSession; done: () => Promise<void> }) {
  const role = useSignal<Role>("viewer");
  const label = useSignal("");
  const expires = useSignal<number | null>(604_800);
  const maxUses = useSignal("");
  const link = useSignal("");
  const create = async () => {
    const uses = Number.parseInt(maxUses.value, 10);
    const reply = await open.call("session.share", {
      role: role.value,
      ...(label.value.trim() ? { label: label.value.trim() } : {}),
      ...(expires.value === null ? {} : { expires_in_s: expires.value }),
      ...(uses > 0 ? { max_uses: uses } : {}),
    });
    link.value = absoluteLink(reply.link, document.baseURI);
    await done();
  };
  const submit = (event: Event) => {
    event.preventDefault();
    attempt(create);
  };
  return (
    <form class="share-form" onSubmit={submit}>
      <fieldset class="roles">
        <legend>Whoever has the link</legend>
        {(Object.keys(ROLES) as Role[]).map((each) => (
          <label key={each} class={role.value === each ? "chosen" : ""}>
            <input type="radio" name="role" value={each} checked={role.value === each}
              data-testid={`share-role-${each}`} onChange={() => { role.value = each; }} />
            <span><strong>{each}</strong> {ROLES[each]}</span>
          </label>
        ))}
      </fieldset>
      <div class="fields">
        <label><span>Expires</span>
          <select data-testid="share-expires" value={String(expires.value)}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              expires.value = chosen === "null" ? null : Number(chosen);
            }}>
            {EXPIRIES.map(([title, seconds]) => <option key={title} value={String(seconds)}>{title}</option>)}
          </select>
        </label>
        <label><span>Uses at most</span>
          <input type="number" min={1} placeholder="any number" value={maxUses.value} data-testid="share-uses"
            onInput={(event) => { maxUses.value = event.currentTarget.value; }} />
        </label>
        <label class="grow"><span>Label</span>
          <input value={label.value} placeholder="for whom" maxLength={100} data-testid="share-label"
            onInput={(event) => { label.value = event.currentTarget.value; }} />
        </label>
      </div>
      <button class="primary" data-testid="share-create">Make a link</button>
      {link.value && <LinkField link={link.value} />}
    </form>
  );
}

function LinkField({ link }: { link: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(link);
    inform("The link is in the clipboard.");
  };
  return (
    <div class="link-field">
      <input readOnly value={link} aria-label="Link" data-testid="share-link"
        onFocus={(event) => event.currentTarget.select()} />
      <button type="button" data-testid="share-copy" onClick={() => attempt(copy)}><Icon name="copy" /> Copy</button>
    </div>
  );
}

function Shares({ open, shares, done }: {
  open: OpenSession; shares: readonly Share[]; done: () => Promise<void>;
}) {
  const revoke = async (share: string) => {
    await open.call("session.revoke", { share });
    await done();
  };
  if (shares.length === 0) return <p class="quiet">No link is out.</p>;
  return (
    <table class="shares" data-testid="shares">
      <thead><tr><th>Role</th><th>For</th><th>Expires</th><th><span class="spoken">Actions</span></th></tr></thead>
      <tbody>
        {shares.map(({ share, role, label, expires_at }) => (
          <tr key={share} data-testid="share-row" data-share={share}>
            <td><span class={`role-badge role-${role}`}>{role}</span></td>
            <td>{label || <span class="quiet">–</span>}</td>
            <td class="quiet">{expires_at ? new Date(expires_at).toLocaleString() : "never"}</td>
            <td class="row-actions">
              <button class="small danger" data-testid="share-revoke"
                onClick={() => attempt(() => revoke(share))}>Revoke</button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
