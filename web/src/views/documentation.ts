// Shift+Tab: signature and docstring of what stands at the cursor, until something is typed.
import { StateEffect, StateField } from "@codemirror/state";
import { showTooltip, type EditorView, type Tooltip } from "@codemirror/view";

import { toCodePoints } from "../code_points.ts";
import { inform, reportError } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";

const show = StateEffect.define<Tooltip | null>();

export const documentation = StateField.define<Tooltip | null>({
  create: () => null,
  update(shown, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(show)) return effect.value;
    }
    return transaction.docChanged ? null : shown;
  },
  provide: (field) => showTooltip.from(field),
});

export function showDocumentation(view: EditorView, open: OpenSession): boolean {
  void fetchDocumentation(view, open).catch(reportError);
  return true;
}

export function hideDocumentation(view: EditorView): boolean {
  if (!view.state.field(documentation)) return false;
  view.dispatch({ effects: show.of(null) });
  return true;
}

async function fetchDocumentation(view: EditorView, open: OpenSession): Promise<void> {
  const code = view.state.doc.toString();
  const pos = view.state.selection.main.head;
  const { found, signature, docstring, type } =
    await open.call("inspect", { code, cursor: toCodePoints(code, pos) });
  if (view.state.doc.toString() !== code) return;
  if (!found) return inform("Nothing is known of what stands at the cursor.");
  const create = () => ({ dom: panel([["signature", signature], ["type", type], ["docstring", docstring]]) });
  view.dispatch({ effects: show.of({ pos, above: true, create }) });
}

function panel(parts: [string, string | null][]): HTMLElement {
  const dom = document.createElement("div");
  dom.className = "documentation";
  dom.tabIndex = 0; // so that a long one is scrolled by keys too
  dom.dataset["testid"] = "documentation";
  for (const [name, text] of parts) {
    if (!text) continue;
    const part = document.createElement("pre");
    part.className = name;
    part.textContent = text;
    dom.append(part);
  }
  return dom;
}
