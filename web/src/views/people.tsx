// Who is here, with which role; and under which name oneself is seen.
import { useSignal } from "@preact/signals";

import type { Participant } from "../messages.ts";
import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { dialog } from "../page.ts";
import { ownName } from "../preferences.ts";
import { Modal } from "./modal.tsx";

const SHOWN = 4;

export function Presence({ open }: { open: OpenSession }) {
  const people = open.session.value?.participants ?? [];
  const title = people.map(({ name, role }) => `${name} (${role})`).join(", ");
  return (
    <button class="plain presence" title={title} data-testid="presence" data-count={people.length}
      onClick={() => { dialog.value = { kind: "people" }; }}>
      <span class="spoken">People here: {title || "nobody"}</span>
      {people.slice(0, SHOWN).map((each) => <Avatar key={each.participant} person={each} />)}
      {people.length > SHOWN && <span class="avatar more">+{people.length - SHOWN}</span>}
    </button>
  );
}

export function Avatar({ person: { name, role } }: { person: Participant }) {
  return (
    <span class={`avatar hue-${hue(name)}`} data-role={role} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

export function PeopleDialog({ open }: { open: OpenSession }) {
  const people = open.session.value?.participants ?? [];
  return (
    <Modal title="People in this session" name="people">
      <ul class="people" data-testid="people">
        {people.map((each) => (
          <li key={each.participant} data-testid="participant" data-role={each.role}>
            <Avatar person={each} />
            <span class="grow">{each.name}
              {each.participant === open.participant.value && <span class="quiet"> (you)</span>}</span>
            <span class={`role-badge role-${each.role}`}>{each.role}</span>
            {open.owning.value && each.participant !== open.participant.value && (
              <button class="small danger" data-testid="participant-remove"
                onClick={() => attempt(() => open.call("participant.remove", { participant: each.participant }))}>
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      <OwnName open={open} />
    </Modal>
  );
}

function OwnName({ open }: { open: OpenSession }) {
  const name = useSignal(ownName.value);
  const submit = (event: Event) => {
    event.preventDefault();
    ownName.value = name.value.trim();
    attempt(() => open.rejoin());
  };
  return (
    <form class="own-name" onSubmit={submit}>
      <label class="grow"><span>Your name here</span>
        <input value={name.value} maxLength={60} data-testid="own-name"
          onInput={(event) => { name.value = event.currentTarget.value; }} />
      </label>
      <button disabled={name.value.trim() === ownName.value}>Change</button>
    </form>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  return words.slice(0, 2).map((word) => [...word][0]?.toUpperCase() ?? "").join("") || "?";
}

function hue(name: string): number {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 997;
  return sum % 6;
}
