// Where the sessions are mirrored into a database: a small mark that says how far that is.
import { mirrorWords } from "../mirror.ts";
import type { Session } from "../session.ts";
import { Icon } from "./icons.tsx";

export function MirrorBadge({ session: { mirror } }: { session: Session }) {
  if (mirror === null) return null;
  const { shown, meaning, change } = mirrorWords(mirror);
  return (
    <>
      <span class={`mirror-badge mirror-${mirror.state}`} data-testid="mirror" data-state={mirror.state}
        role="note" title={meaning} aria-label={`${shown}. ${meaning}`}>
        <Icon name="database" /><span class="mirror-words">{shown}</span>
      </span>
      <span class="spoken" role="status" data-testid="mirror-spoken">{change}</span>
    </>
  );
}
