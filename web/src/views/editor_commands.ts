// What the editor's keys do: run, new line, history, completion, documentation.
import { indentLess, indentMore } from "@codemirror/commands";
import { EditorSelection, type ChangeSet } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

import { nextIndent, offlineVerdict, quickVerdict } from "../completeness.ts";
import { newer, older, recall, shown, type Recall } from "../history.ts";
import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";

const ANSWER_MS = 700;

/** Runs what stands in the editor. */
export function run(view: EditorView, open: OpenSession, keep = false): boolean {
  const code = view.state.doc.toString();
  if (code.trim() === "") return true;
  open.execute(code.replace(/\s+$/, ""));
  if (keep) view.dispatch({ selection: { anchor: 0, head: view.state.doc.length } });
  else replaceCode(view, "");
  return true;
}

export function replaceCode(view: EditorView, code: string): void {
  view.dispatch({
    changes: { from: 0, to: view.state.doc.length, insert: code },
    selection: { anchor: code.length },
    scrollIntoView: true,
  });
  view.focus();
}

export function prependCode(view: EditorView, code: string): void {
  const insert = view.state.doc.length ? `${code}\n` : code;
  view.dispatch({ changes: { from: 0, insert }, selection: { anchor: code.length } });
  view.focus();
}

/** A key that was pressed before the answer came: where it was, however the text grew since. */
export class PendingEnter {
  at: number;
  readonly code: string;

  constructor(at: number, code: string) {
    this.at = at;
    this.code = code;
  }

  map(changes: ChangeSet): void {
    this.at = changes.mapPos(this.at, -1);
  }
}

export class EnterKey {
  readonly #open: OpenSession;
  #pending: PendingEnter | null = null;
  #again: string | null = null;

  constructor(open: OpenSession) {
    this.#open = open;
  }

  changed(changes: ChangeSet): void {
    this.#pending?.map(changes);
  }

  press(view: EditorView): boolean {
    if (this.#pending) {
      // It is a plain line end, unless nothing else is typed until the first one is answered.
      newLine(view, this.#pending.code.length);
      this.#again = view.state.doc.toString();
      return true;
    }
    const { state } = view;
    const { main } = state.selection;
    const code = state.doc.toString();
    if (code.trim() === "") return true;
    const onLastLine = state.doc.lineAt(main.head).number === state.doc.lines;
    if (!main.empty || !onLastLine) return newLine(view);
    const verdict = quickVerdict(code);
    if (verdict === "complete") return run(view, this.#open);
    if (verdict === "incomplete") return newLine(view);
    this.#pending = new PendingEnter(main.head, code);
    void this.#ask(view, this.#pending);
    return true;
  }

  async #ask(view: EditorView, pending: PendingEnter): Promise<void> {
    const { status, indent } = await this.#judge(pending.code);
    this.#pending = null;
    const pressedAgain = this.#again !== null && view.state.doc.toString() === this.#again;
    this.#again = null;
    const untouched = view.state.sliceDoc(0, pending.code.length) === pending.code;
    const lineEnd = `\n${indent ?? nextIndent(pending.code)}`;
    if (status !== "incomplete" && untouched) {
      this.#open.execute(pending.code.replace(/\s+$/, ""));
      const rest = view.state.sliceDoc(pending.code.length);
      const begin = view.state.doc.length - rest.replace(/^\n */, "").length;
      const end = pressedAgain ? rest.length - rest.trimEnd().length : 0;
      // Only this goes: the cursor stays in what was typed since.
      view.dispatch({ changes: [{ from: 0, to: begin },
        { from: Math.max(begin, view.state.doc.length - end), to: view.state.doc.length }] });
      if (pressedAgain) this.press(view);
    } else if (pressedAgain && untouched) {
      replaceCode(view, pending.code + lineEnd);
      this.press(view);
    } else {
      insertAt(view, pending.at, lineEnd);
    }
  }

  async #judge(code: string): Promise<{ status: string; indent: string | null }> {
    try {
      return await this.#open.call("is_complete", { code }, ANSWER_MS);
    } catch {
      return { status: offlineVerdict(code), indent: null };
    }
  }
}

function insertAt(view: EditorView, from: number, insert: string): void {
  const at = view.state.selection.main.head;
  const anchor = at < from ? at : at + insert.length;
  view.dispatch({ changes: { from, insert }, selection: { anchor }, scrollIntoView: true });
}

/** A new line, indented as what stands before it, `since` where another execution may begin. */
export function newLine(view: EditorView, since = 0): boolean {
  const { state } = view;
  const change = state.changeByRange(({ from, to }) => {
    const insert = `\n${nextIndent(state.sliceDoc(Math.min(since, from), from))}`;
    return { changes: { from, to, insert }, range: EditorSelection.cursor(from + insert.length) };
  });
  view.dispatch(state.update(change, { scrollIntoView: true, userEvent: "input" }));
  return true;
}

/** Tab where no word stands before the cursor indents; elsewhere it is left to completion. */
export function indentAtStart(view: EditorView): boolean {
  const { state } = view;
  const { main } = state.selection;
  if (!main.empty && state.doc.lineAt(main.from).number !== state.doc.lineAt(main.to).number) {
    return indentMore(view);
  }
  const line = state.doc.lineAt(main.head);
  const before = state.sliceDoc(line.from, main.head);
  if (before.trim() !== "") return false;
  const spaces = " ".repeat(4 - (before.length % 4));
  view.dispatch(state.replaceSelection(spaces), { scrollIntoView: true, userEvent: "input" });
  return true;
}

export function dedentAtStart(view: EditorView): boolean {
  const { main } = view.state.selection;
  const line = view.state.doc.lineAt(main.head);
  const before = view.state.sliceDoc(line.from, main.head);
  return !main.empty || before.trim() === "" && before !== "" ? indentLess(view) : false;
}

/** Copies when something is selected, here or anywhere on the page; else interrupts. */
export function copyOrInterrupt(view: EditorView, open: OpenSession): boolean {
  const selectedElsewhere = document.getSelection()?.toString() ?? "";
  if (!view.state.selection.main.empty || selectedElsewhere !== "") return false;
  attempt(() => open.interrupt());
  return true;
}

export class HistoryKeys {
  readonly #open: OpenSession;
  #recall: Recall | null = null;
  #moving = false;

  constructor(open: OpenSession) {
    this.#open = open;
  }

  /** Typing ends the walk: the next ↑ begins from what stands there. */
  changed(): void {
    if (!this.#moving) this.#recall = null;
  }

  older(view: EditorView): boolean {
    const { state } = view;
    const { main } = state.selection;
    if (!main.empty || state.doc.lineAt(main.head).number !== 1) return false;
    const draft = state.doc.toString();
    this.#recall ??= recall(this.#codes(), draft, state.sliceDoc(0, main.head));
    const next = older(this.#recall);
    if (next) this.#show(view, next);
    else attempt(() => this.#open.hasEarlier.peek() ? this.#open.loadEarlier() : Promise.resolve());
    return true;
  }

  newer(view: EditorView): boolean {
    const { state } = view;
    if (!this.#recall || state.doc.lineAt(state.selection.main.head).number !== state.doc.lines) return false;
    const next = newer(this.#recall);
    if (next) this.#show(view, next);
    return true;
  }

  #codes(): string[] {
    const executed = this.#open.session.peek()?.executions.map((each) => each.code) ?? [];
    return [...executed, ...this.#open.outbox.peek().map((each) => each.code)];
  }

  #show(view: EditorView, next: Recall): void {
    this.#recall = next;
    const code = shown(next);
    // With a prefix the cursor stays behind it, so that the next ↑ searches for the same.
    const anchor = next.prefix && code.startsWith(next.prefix) ? next.prefix.length : code.length;
    this.#moving = true;
    view.dispatch({
      changes: { from: 0, to: view.state.doc.length, insert: code },
      selection: { anchor: next.prefix ? anchor : firstLineEnd(code) }, scrollIntoView: true,
    });
    this.#moving = false;
  }
}

/** The end of the first line: ↑ goes on walking, ↓ steps through the lines and then walks too. */
function firstLineEnd(code: string): number {
  const end = code.indexOf("\n");
  return end < 0 ? code.length : end;
}
