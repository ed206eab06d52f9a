// The watches on top of the variables: expressions that are followed, and the line that adds one.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import { CallRefused } from "../connection.ts";
import { clock } from "../format.ts";
import type { Watch } from "../messages.ts";
import { attempt, reportError } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { dialog } from "../page.ts";
import { followDraft, writeWatch, type WatchDraft } from "../watch_draft.ts";
import { Icon } from "./icons.tsx";

export function Watches({ open }: { open: OpenSession }) {
  const watches = open.session.value?.watches ?? [];
  const draft = open.editing.value ? open.watchDraft.value : null;
  if (!watches.length && !draft) return null;
  return (
    <section class="watches" aria-label="Watches" data-testid="watches">
      {watches.length > 0 && (
        <ul>{watches.map((watch) => <WatchRow key={watch.watch} open={open} watch={watch} />)}</ul>
      )}
      {draft && <WatchForm key={draft.replaces} open={open} draft={draft} />}
    </section>
  );
}

function WatchRow({ open, watch }: { open: OpenSession; watch: Watch }) {
  const { expression, variable, error, met } = watch;
  const touch = open.touchedWatches.fresh(watch.watch);
  return (
    <li class={`watch ${met ? "met" : ""}`} data-testid="watch-row" data-expression={expression}
      data-version={watch.version} data-met={met ?? ""}>
      {touch && <span key={touch.at} class={touch.steady ? "flash steady" : "flash"} data-testid="watch-flash" aria-hidden="true" />}
      <code class="watch-expression" title={expression}>{expression}</code>
      <span class="type">{variable?.type}</span>
      {error
        ? <span class="watch-error" data-testid="watch-error" title={error}>{error}</span>
        : <code class="preview" data-testid="watch-preview" title={variable?.preview}>{variable?.preview ?? "…"}</code>}
      <Tools open={open} watch={watch} />
      {watch.condition && <Condition open={open} watch={watch} />}
    </li>
  );
}

function Tools({ open, watch: { watch, expression, condition } }: { open: OpenSession; watch: Watch }) {
  return (
    <span class="row-tools">
      {open.editing.value && (
        <button class="plain" title="Change the watch" aria-label={`Change the watch ${expression}`} data-testid="watch-edit"
          onClick={() => writeWatch(open, { expression, condition: condition ?? "", replaces: watch })}><Icon name="edit" /></button>
      )}
      <button class="plain" title="Look closer: what it was before" aria-label={`Look closer at the watch ${expression}`}
        data-testid="watch-look" onClick={() => { dialog.value = { kind: "watch", watch }; }}><Icon name="eye" /></button>
      {open.editing.value && (
        <button class="plain danger" title="Remove the watch" aria-label={`Remove the watch ${expression}`}
          data-testid="watch-remove" onClick={() => attempt(() => open.call("watch.remove", { watch }))}><Icon name="close" /></button>
      )}
    </span>
  );
}

function Condition({ open, watch: { condition, condition_error: error, met, alert } }: { open: OpenSession; watch: Watch }) {
  const number = open.session.value?.executions.find((each) => each.execution === alert?.execution)?.number;
  const where = `${number === undefined ? "" : ` in In[${number}]`}${alert?.line ? `, line ${alert.line}` : ""}`;
  return (
    <span class="watch-condition" data-testid="watch-condition" title={error ?? undefined}>
      <Icon name="bell" filled={met === true} />
      <code>{condition}</code>
      {error ? <span class="watch-error">{error}</span>
        : alert ? <span>{met ? "holds since" : "last held at"} {clock(alert.time)}{where}</span> : null}
    </span>
  );
}

function WatchForm({ open, draft }: { open: OpenSession; draft: WatchDraft }) {
  const box = useRef<HTMLInputElement>(null);
  const problem = useSignal<string | null>(null);
  // At once: the next key belongs to it.
  useLayoutEffect(() => {
    box.current?.focus();
    box.current?.select();
  }, [draft.replaces]);
  const write = (part: Partial<WatchDraft>) => {
    problem.value = null;
    open.watchDraft.value = { ...draft, ...part };
  };
  const close = () => {
    open.watchDraft.value = null;
    open.focusVariables();
  };
  const submit = async () => {
    try {
      await followDraft(open, draft);
      close();
    } catch (error) {
      if (error instanceof CallRefused && !error.unanswered) problem.value = error.message;
      else reportError(error);
    }
  };
  return (
    <form class="watch-form" data-testid="watch-form" onSubmit={(event) => { event.preventDefault(); if (draft.expression.trim()) void submit(); }}
      onKeyDown={(event) => { if (event.key === "Escape") close(); }}>
      <input ref={box} value={draft.expression} placeholder="Expression, as len(units)" aria-label="Expression to watch"
        data-testid="watch-expression" spellcheck={false} autocomplete="off" maxLength={500}
        onInput={(event) => write({ expression: event.currentTarget.value })} />
      <input value={draft.condition} placeholder="Alert when, as value > 10" aria-label="Alert when, a Python expression of value"
        data-testid="watch-condition-input" spellcheck={false} autocomplete="off" maxLength={500}
        onInput={(event) => write({ condition: event.currentTarget.value })} />
      <button class="primary" disabled={!draft.expression.trim()} data-testid="watch-submit">{draft.replaces ? "Change" : "Watch"}</button>
      <button type="button" class="plain" aria-label="Close" onClick={close}><Icon name="close" /></button>
      {problem.value && <p class="watch-problem" role="alert" data-testid="watch-problem">{problem.value}</p>}
    </form>
  );
}
