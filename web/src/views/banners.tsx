// What a person must know above everything else: the connection, the process, what came back.
import { useSignal } from "@preact/signals";

import { count } from "../format.ts";
import type { RestoreEntry } from "../messages.ts";
import type { OpenSession } from "../open_session.ts";
import { connection, link } from "../page.ts";
import { Icon } from "./icons.tsx";

export function ConnectionBanner({ waiting }: { waiting: number }) {
  if (link.value !== "disconnected") return null;
  return (
    <div class="banner warn" role="status" data-testid="banner">
      <span class="banner-text">
        <strong>Disconnected.</strong> Trying again.{" "}
        {waiting === 0
          ? "What is on the screen stays; nothing is lost."
          : `${count(waiting, "execution")} typed here ${waiting === 1 ? "waits" : "wait"} in this tab and will be sent once.`}
      </span>
      <button class="small" onClick={() => connection.value?.reconnect()}>Try now</button>
    </div>
  );
}

const CAUSES: Record<string, string> = {
  memory: "it needed more memory than it may have",
  stack: "its stack overflowed",
  "interrupt-ignored": "it ignored the interrupt",
  timeout: "it ran longer than it may",
  jail: "its jail forbids what it did",
  cpu: "it used more processor time than it may",
  "cpu-hour": "its processor time of this hour is used up",
  protocol: "it broke the protocol",
  fatal: "Python itself ended, by a fault or by os._exit or os.abort",
};

export function ProcessBanner({ open }: { open: OpenSession }) {
  const process = open.session.value?.process;
  if (process?.state !== "dead") return null;
  const cause = process.exit?.cause ?? process.reason ?? "";
  return (
    <div class="banner error" role="status" data-testid="process-dead" data-cause={cause}>
      <span class="banner-text">
        <strong>The process died</strong>{cause && `: ${CAUSES[cause] ?? cause}`}.{" "}
        The next execution starts another one and brings back what was kept.
        {process.exit?.message && (
          <details><summary>What it said</summary><pre>{process.exit.message}</pre></details>
        )}
      </span>
    </div>
  );
}

const TITLES: Record<string, string> = {
  restored: "Woken up", recovered: "Recovered", restarted: "Restarted", forked: "Forked",
};

export function RestoreBanner({ open }: { open: OpenSession }) {
  const details = useSignal(false);
  const session = open.session.value;
  const restore = session?.restore;
  if (!restore || session.process.state === "dead" || restore.seq <= open.dismissedRestore.value) return null;
  const of = (verdict: RestoreEntry["verdict"]) =>
    restore.entries.filter((each) => each.verdict === verdict);
  const [back, rerun, lost] = [of("restored"), of("rerun"), of("lost")];
  const troubled = rerun.length + lost.length > 0;
  return (
    <section class={`banner restore ${troubled ? "warn" : "good"}`} data-testid="restore-report"
      data-reason={restore.reason} aria-label="What came back">
      <div class="restore-head">
        <span class="banner-text">
          <strong>{TITLES[restore.reason] ?? restore.reason}.</strong>{" "}
          {restore.entries.length === 0
            ? "The session begins with no variables."
            : `${count(back.length, "variable")} restored` +
              (rerun.length ? `, ${rerun.length} to run again` : "") +
              (lost.length ? `, ${lost.length} lost` : "") + "."}
        </span>
        {restore.entries.length > 0 && (
          <button class="small" aria-expanded={details.value} data-testid="restore-details"
            onClick={() => { details.value = !details.value; }}>
            {details.value ? "Hide" : "Show"} which
          </button>
        )}
        <button class="plain" aria-label="Dismiss" data-testid="restore-dismiss"
          onClick={() => { open.dismissedRestore.value = restore.seq; }}><Icon name="close" /></button>
      </div>
      {details.value && (
        <ul class="restore-list">
          {[...lost, ...rerun, ...back].map((entry) => <Verdict key={entry.name} entry={entry} open={open} />)}
        </ul>
      )}
    </section>
  );
}

const VERDICTS = { restored: "restored", rerun: "run again", lost: "lost" };

function Verdict({ entry, open }: { entry: RestoreEntry; open: OpenSession }) {
  const execution = open.session.value?.executions.find((each) => each.execution === entry.execution);
  return (
    <li class={entry.verdict === "restored" ? "came-back" : ""} data-testid="restore-entry" data-name={entry.name} data-verdict={entry.verdict}>
      <code>{entry.name}</code>
      <span class={entry.verdict === "restored" ? "spoken" : `verdict ${entry.verdict}`}>{VERDICTS[entry.verdict]}</span>
      <span class="quiet">{entry.why}</span>
      {execution && entry.verdict !== "restored" && open.editing.value && (
        <button class="small" data-testid="restore-rerun" onClick={() => open.putCode(execution.code)}>
          Put In[{execution.number}] into the editor
        </button>
      )}
    </li>
  );
}
