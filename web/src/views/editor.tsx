// Where code is written: CodeMirror in a shadow root, where its styles need no exception from the CSP.
import type { EditorView } from "@codemirror/view";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import { Icon } from "./icons.tsx";
import { createEditor, placeholderFor } from "./editor_view.ts";
import { prependCode, replaceCode, run } from "./editor_commands.ts";

export function Editor({ open }: { open: OpenSession }) {
  const frame = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const empty = useSignal(true);
  useEffect(() => {
    const root = frame.current?.shadowRoot ?? frame.current?.attachShadow({ mode: "open" });
    if (!root) return;
    const editor = createEditor(root, open, (isEmpty) => { empty.value = isEmpty; });
    view.current = editor;
    Object.assign(open, {
      putCode: (code: string) => prependCode(editor, code),
      replaceCode: (code: string) => replaceCode(editor, code),
      focusEditor: () => editor.focus(),
      hasDraft: () => editor.hasFocus && editor.state.doc.length > 0,
    } satisfies Partial<OpenSession>);
    editor.focus();
    return () => editor.destroy();
  }, []);
  const busy = open.session.value?.process.state === "busy";
  return (
    <div class={`editor ${busy ? "busy" : ""}`} data-testid="editor">
      <span class="editor-mark" aria-hidden="true"><Icon name="chevron" /></span>
      <div class="editor-frame" ref={frame} data-testid="editor-input" data-hint={placeholderFor()} />
      <button class="primary run" data-testid="run" disabled={empty.value} title="Run (Shift+Enter)"
        aria-label="Run" onClick={() => attempt(async () => {
          if (view.current) run(view.current, open);
          view.current?.focus();
        })}><Icon name="play" filled /></button>
    </div>
  );
}

export function ViewerNote({ open }: { open: OpenSession }) {
  return (
    <p class="viewer-note" data-testid="viewer-note">
      <Icon name="eye" />
      <span>You are here as a <strong>{open.role.value}</strong>: you see everything and change
        nothing. Ask an owner for an editor's link to run code.</span>
    </p>
  );
}
