// What the session may use, and how much of it is used: a word in the header, all of it in a dialog.
import { useEffect } from "preact/hooks";

import { bytes } from "../format.ts";
import type { OpenSession } from "../open_session.ts";
import { dialog } from "../page.ts";
import { nearest, type Meter } from "../usage.ts";
import { Modal } from "./modal.tsx";

const REFRESH_MS = 1000;

/** The memory; or what is nearly used up. */
export function UsageButton({ open }: { open: OpenSession }) {
  const memory = open.session.value?.process.memory_bytes;
  const all = open.usage.meters.value;
  const near = nearest(all);
  if (!memory && !near) return null;
  const shown = near ?? all[0];
  return (
    <button class={`plain memory ${near ? "near" : ""}`} data-testid="memory"
      title={near?.note ?? "What this session uses of its limits"}
      onClick={() => { dialog.value = { kind: "usage" }; }}>
      {near ? `${near.name}: ${near.used} of ${near.limit}` : (shown?.used ?? bytes(memory ?? 0))}
      {shown && <Bar meter={shown} />}
    </button>
  );
}

export function UsageDialog({ open }: { open: OpenSession }) {
  useEffect(() => {
    const ask = () => void open.usage.refresh().catch(() => {}); // the link's own banner says it
    ask();
    const timer = setInterval(ask, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const all = open.usage.meters.value;
  return (
    <Modal title="Limits of this session" name="usage">
      <ul class="meters" data-testid="meters">
        {all.map((each) => <Row key={each.name} meter={each} />)}
      </ul>
      <p class="quiet">Limits are set when a session is created, within those of the server.</p>
    </Modal>
  );
}

function Row({ meter }: { meter: Meter }) {
  return (
    <li class={meter.isNear ? "near" : ""} data-testid="meter" data-name={meter.name}>
      <span class="grow">{meter.name}</span>
      <span class="meter-words">{meter.used}{meter.limit !== null && <span class="quiet"> of {meter.limit}</span>}</span>
      {meter.limit !== null ? <Bar meter={meter} /> : <span class="bar none quiet">no limit</span>}
      {meter.note && <span class="meter-note">{meter.note}</span>}
    </li>
  );
}

function Bar({ meter }: { meter: Meter }) {
  return (
    <span class="bar" role="meter" aria-label={meter.name} aria-valuemin={0} aria-valuemax={100}
      aria-valuenow={Math.round(meter.share * 100)}>
      <span style={{ width: `${meter.share * 100}%` }} />
    </span>
  );
}
