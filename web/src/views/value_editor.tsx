// Changing a value in place: a Python expression, and what happens when someone else was first.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import { CallRefused } from "../connection.ts";
import { reportError } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import type { Row } from "../tree.ts";

interface Props {
  row: Extract<Row, { kind: "value" }>;
  open: OpenSession;
  done: () => void;
}

export function ValueEditor({ row: { path, variable, label }, open, done }: Props) {
  const text = useSignal(startingText(variable.preview, variable.value, variable.type));
  // The version at the beginning of the edit: what was changed since then is not overwritten unseen.
  const version = useRef(open.session.peek()?.variables.get(String(path[0]))?.version ?? null);
  const problem = useSignal<string | null>(null);
  const conflict = useSignal<string | null>(null);
  const box = useRef<HTMLInputElement>(null);
  // At once: the next key belongs to it.
  useLayoutEffect(() => {
    box.current?.focus();
    box.current?.select();
  }, []);
  const close = () => {
    const table = box.current?.closest<HTMLElement>("[role=treegrid]");
    done();
    table?.focus();
  };
  const set = async (guarded: boolean) => {
    try {
      await open.setVariable(path, text.value, guarded ? version.current : null);
      close();
    } catch (error) {
      if (!(error instanceof CallRefused)) throw error;
      if (error.code === "conflict") conflict.value = error.variable?.preview ?? "";
      else if (error.unanswered) reportError(error);
      else problem.value = error.message;
    }
  };
  const pressed = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.isComposing || !text.value.trim()) return;
    event.preventDefault();
    void set(true);
  };
  return (
    <span class="value-editor" role="gridcell" data-testid="value-editor">
      <input ref={box} value={text.value} aria-label={`New value of ${label}, a Python expression`}
        spellcheck={false} autocomplete="off" data-testid="value-input" onKeyDown={pressed}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          problem.value = null;
        }} />
      {conflict.value !== null && (
        <span class="edit-note" role="alert" data-testid="value-conflict">
          Changed meanwhile: now <code>{conflict.value || "deleted"}</code>
          <span class="edit-choices">
            <button class="small" data-testid="value-force" onClick={() => void set(false)}>Overwrite it</button>
            <button class="small" data-testid="value-theirs" onClick={close}>Take theirs</button>
          </span>
        </span>
      )}
      {problem.value && <span class="edit-note" role="alert" data-testid="value-problem">{problem.value}</span>}
    </span>
  );
}

/** The preview where it is the whole value; a shortened one would lose the rest. */
function startingText(preview: string, value: unknown, type: string): string {
  const whole = value !== null || type === "NoneType";
  return whole && !preview.includes("…") ? preview : "";
}
