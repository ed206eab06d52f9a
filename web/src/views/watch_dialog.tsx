// One watch close up: what it gives, and what it gave before.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { reportError } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { Changes, type Change } from "./changes.tsx";
import { Modal } from "./modal.tsx";

const CHANGES = 200;

export function WatchDialog({ open, watch }: { open: OpenSession; watch: string }) {
  const changes = useSignal<readonly Change[]>([]);
  const shown = open.session.value?.watches.find((each) => each.watch === watch);
  useEffect(() => {
    open.call("watch.history", { watch, limit: CHANGES })
      .then((reply) => { changes.value = reply.changes.map(told); }).catch(reportError);
  }, [shown?.version]);
  return (
    <Modal title={shown?.expression ?? "A watch that was removed"} name="watch" wide>
      <div class="whole-text watch-value" tabIndex={0} role="region" aria-label="Value">
        <pre data-testid="watch-value">{shown?.variable?.preview ?? shown?.error ?? "…"}</pre>
      </div>
      {shown?.condition && <p class="quiet">Alert when <code>{shown.condition}</code></p>}
      {changes.value.length > 0 && <Changes open={open} changes={changes.value} />}
    </Modal>
  );
}

function told(change: Change): Change {
  return { ...change, preview: change.preview ?? change.error ?? null };
}
