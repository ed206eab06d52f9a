// What two changes of a variable differ in: numbers by how much, the rest part by part.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { DiffRow } from "../line_diff.ts";
import { count } from "../format.ts";
import type { OpenHistory } from "../open_history.ts";
import { differenceOf, type Difference, type Point } from "../variable_history.ts";

// While somebody drags the scrubber, exact values are not asked for at every step.
const SETTLED_MS = 120;
const ROWS = 400;

export function DifferenceView({ history }: { history: OpenHistory }) {
  const [before, after] = [history.other.value, history.point.value];
  const difference = useDifference(history, before, after);
  if (!before || !after) return null;
  const pinned = history.comparing.value !== null;
  return (
    <section class="difference" data-testid="difference" aria-label="Difference">
      <h3>
        {pinned ? `From change ${before.nth.toLocaleString("en")} to ${after.nth.toLocaleString("en")}` : "Since the change before"}
      </h3>
      <div aria-live="polite">{difference && <Shown difference={difference} />}</div>
    </section>
  );
}

function useDifference(history: OpenHistory, before: Point | null, after: Point | null): Difference | null {
  const shown = useSignal<Difference | null>(null);
  useEffect(() => {
    if (!before || !after) return;
    const known = [before, after].map((point) => history.whole(point));
    if (known[0] && known[1]) {
      shown.value = differenceOf(known[0], known[1]);
      return;
    }
    let isCurrent = true;
    const later = setTimeout(async () => {
      // What cannot be read whole is compared by its previews.
      const [old, now] = await Promise.all([before, after].map((point) => history.readWhole(point).catch(() => point)));
      if (isCurrent && old && now) shown.value = differenceOf(old, now);
    }, SETTLED_MS);
    return () => {
      isCurrent = false;
      clearTimeout(later);
    };
  }, [before?.seq, after?.seq]);
  return shown.value;
}

function Shown({ difference }: { difference: Difference }) {
  switch (difference.kind) {
    case "same":
      return <p class="quiet">No difference.</p>;
    case "numbers":
      return (
        <p class="number-difference">
          <strong data-testid="difference-amount">{difference.difference}</strong>
          {difference.ratio !== null && <span class="quiet" data-testid="difference-ratio"> × {difference.ratio}</span>}
        </p>
      );
    case "parts":
      return <Parts rows={difference.rows} />;
  }
}

function Parts({ rows }: { rows: readonly DiffRow[] }) {
  const rest = rows.length - ROWS;
  return (
    <div class="diff" tabIndex={0} role="region" aria-label="What was taken out and put in">
      {rows.slice(0, ROWS).map((row, index) => row.sign === "…"
        ? <div key={index} class="diff-row folded">… {count(row.count, "part")} the same</div>
        : <div key={index} class={`diff-row ${NAMES[row.sign]}`}><SignOf sign={row.sign} />{row.text}</div>)}
      {rest > 0 && <div class="diff-row folded">… {count(rest, "more row")}</div>}
    </div>
  );
}

const NAMES = { "=": "same", "-": "removed", "+": "added" } as const;

function SignOf({ sign }: { sign: "=" | "-" | "+" }) {
  return <span class="sign">{sign === "=" ? "" : <span role="img" aria-label={NAMES[sign]}>{sign === "-" ? "−" : "+"}</span>}</span>;
}
