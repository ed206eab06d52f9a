// Where no jail holds the sessions: a small mark that says so, and what it means.
import { isolation } from "../page.ts";

const MEANING = "This server runs without a jail (--isolation process): code that breaks out of Python reaches the " +
  "files, the network and the programs of its user. Let in only people you trust.";

export function IsolationBadge() {
  if (isolation.value === null || isolation.value === "strict") return null;
  return <span class="isolation-badge" data-testid="isolation" role="note" title={MEANING} aria-label={MEANING}>no jail</span>;
}
