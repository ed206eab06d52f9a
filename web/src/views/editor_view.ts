// The CodeMirror view: Python, keys, completion, documentation; colours from the page's own variables.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionStatus } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentUnit, LanguageSupport, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches } from "@codemirror/search";
import { EditorState, Prec, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, keymap, placeholder, type KeyBinding } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import type { OpenSession } from "../open_session.ts";
import { dialog } from "../page.ts";
import { cleanPaste } from "../paste.ts";
import { completionSource, startCompleting } from "./completion.ts";
import {
  copyOrInterrupt, dedentAtStart, EnterKey, HistoryKeys, indentAtStart, newLine, run,
} from "./editor_commands.ts";
import { selectionInput } from "./selection_input.ts";
import { hideDocumentation, showDocumentation, documentation } from "./documentation.ts";

const DRAFT = "watchglass.draft.";

export function createEditor(
  root: ShadowRoot, open: OpenSession, changed: (isEmpty: boolean) => void,
): EditorView {
  const draft = sessionStorage.getItem(DRAFT + open.id) ?? "";
  const enter = new EnterKey(open);
  const walk = new HistoryKeys(open);
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: draft,
      selection: { anchor: draft.length },
      extensions: [
        Prec.highest(keymap.of(sessionKeys(open, enter, walk))),
        editing(open),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          enter.changed(update.changes);
          walk.changed();
          const text = update.state.doc.toString();
          if (text) sessionStorage.setItem(DRAFT + open.id, text);
          else sessionStorage.removeItem(DRAFT + open.id);
          changed(text.trim() === "");
        }),
      ],
    }),
  });
  changed(draft.trim() === "");
  return view;
}

export function placeholderFor(): string {
  return innerWidth < 480 ? "Python: Enter runs" : "Python: Enter runs, Alt+Enter makes a new line";
}

function sessionKeys(open: OpenSession, enter: EnterKey, walk: HistoryKeys): KeyBinding[] {
  const completing = (view: EditorView) => completionStatus(view.state) === "active";
  return [
    { key: "Enter", run: (view) => !completing(view) && enter.press(view) },
    { key: "Shift-Enter", run: (view) => run(view, open) },
    { key: "Mod-Enter", run: (view) => run(view, open, true) },
    { key: "Ctrl-Enter", run: (view) => run(view, open, true) },
    { key: "Alt-Enter", run: (view) => newLine(view) },
    { key: "Tab", run: (view) => view.state.doc.length > 0 && (acceptCompletion(view) || indentAtStart(view) || startCompleting(view, open)) },
    { key: "Shift-Tab", run: (view) => view.state.doc.length > 0 && (dedentAtStart(view) || showDocumentation(view, open)) },
    { key: "ArrowUp", run: (view) => !completing(view) && walk.older(view) },
    { key: "ArrowDown", run: (view) => !completing(view) && walk.newer(view) },
    { key: "Ctrl-r", run: () => { dialog.value = { kind: "search" }; return true; } },
    { key: "Ctrl-l", run: () => { open.clearView(); return true; } },
    { key: "Ctrl-c", run: (view) => copyOrInterrupt(view, open) },
    { key: "Escape", run: (view) => !completing(view) && (hideDocumentation(view) || open.focusTranscript()) },
  ];
}

function editing(open: OpenSession): Extension {
  return [
    new LanguageSupport(pythonLanguage),
    indentUnit.of("    "),
    history(),
    drawSelection(),
    selectionInput,
    bracketMatching(),
    closeBrackets(),
    highlightSelectionMatches(),
    EditorView.lineWrapping,
    EditorView.clipboardInputFilter.of(cleanPaste),
    EditorView.contentAttributes.of({ "aria-label": "Python code", autocapitalize: "off" }),
    placeholder(placeholderFor()),
    autocompletion({ override: [completionSource(open)], activateOnTyping: false, icons: false }),
    documentation,
    keymap.of([...closeBracketsKeymap, ...historyKeymap, ...defaultKeymap]),
    syntaxHighlighting(colours),
    look,
  ];
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.definition(tags.variableName), tags.function(tags.variableName)], color: "var(--code-name)" },
  { tag: tags.className, color: "var(--code-name)" },
  { tag: [tags.operator, tags.punctuation], color: "var(--code-operator)" },
  { tag: tags.meta, color: "var(--code-keyword)" },
]);

const popup = {
  backgroundColor: "var(--surface-raised)", border: "1px solid var(--line-strong)",
  borderRadius: "6px", boxShadow: "var(--shadow)", color: "var(--text)",
};

const look = EditorView.theme({
  "&": { backgroundColor: "transparent", color: "var(--text)", fontSize: "var(--size-code)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", maxHeight: "38vh", overflow: "auto" },
  ".cm-content": { padding: "9px 0", caretColor: "var(--accent)" },
  ".cm-line": { padding: "0 4px 0 0" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-placeholder": { color: "var(--text-faint)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { backgroundColor: "var(--selection)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--bracket)", outline: "none" },
  "&.cm-focused .cm-nonmatchingBracket": { color: "var(--error)", backgroundColor: "transparent" },
  ".cm-selectionMatch": { backgroundColor: "var(--bracket)" },
  ".cm-tooltip": popup,
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "13px", maxHeight: "16em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px", display: "flex", gap: "24px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]":
    { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionLabel": { flex: "1" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: ".65", fontFamily: "var(--sans)", fontSize: "12px" },
  ".documentation": { padding: "8px 12px", maxWidth: "min(640px, 80vw)", maxHeight: "40vh", overflow: "auto" },
  ".documentation pre": { margin: "0", fontFamily: "var(--mono)", fontSize: "12.5px", whiteSpace: "pre-wrap" },
  ".documentation .signature": { fontWeight: "600", marginBottom: "6px" },
  ".documentation .type": { color: "var(--text-quiet)", fontSize: "12px", marginBottom: "4px" },
});
