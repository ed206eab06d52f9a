// Completion by the interpreter itself, asked for with Tab.
import { pickedCompletion, startCompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";

import { CallRefused } from "../connection.ts";
import { toCodePoints, toUnits } from "../code_points.ts";
import { reportError } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";

interface Found {
  code: string;
  cursor: number;
  from: number;
  to: number;
  options: Completion[];
}

const ANSWER_MS = 3000;

// What Tab fetched, for the list that opens with it: the interpreter is asked once.
const fetched = new WeakMap<OpenSession, Found>();

/** Tab: the only match is written at once; several open the list. */
export function startCompleting(view: EditorView, open: OpenSession): boolean {
  void fetchMatches(view, open).then((found) => {
    if (!found || view.state.doc.toString() !== found.code) return;
    const [only, ...others] = found.options;
    if (!only) return;
    if (others.length === 0) insert(view, found, only.label);
    else {
      insertShared(view, found);
      startCompletion(view);
    }
  });
  return true;
}

export function completionSource(open: OpenSession) {
  return (context: CompletionContext): CompletionResult | null => {
    const found = fetched.get(open);
    if (!found || found.code !== context.state.doc.toString()) return null;
    return { from: found.from, to: found.to, options: found.options, validFor: /^\w*$/ };
  };
}

async function fetchMatches(view: EditorView, open: OpenSession): Promise<Found | null> {
  const code = view.state.doc.toString();
  const cursor = view.state.selection.main.head;
  try {
    const reply = await open.call("complete", { code, cursor: toCodePoints(code, cursor) }, ANSWER_MS);
    const found: Found = {
      code, cursor, from: toUnits(code, reply.start), to: toUnits(code, reply.end),
      options: reply.matches.map(({ text, type }) => ({ label: text, ...(type ? { detail: type } : {}) })),
    };
    fetched.set(open, found);
    return found;
  } catch (error) {
    if (!(error instanceof CallRefused) || !error.unanswered) reportError(error);
    return null;
  }
}

/** As much as all matches begin with, as a shell does. */
function insertShared(view: EditorView, found: Found): void {
  const labels = found.options.map((option) => option.label);
  const shared = labels.reduce((a, b) => {
    let length = 0;
    while (length < a.length && a[length] === b[length]) length++;
    return a.slice(0, length);
  });
  if (shared.length <= found.cursor - found.from) return;
  insert(view, found, shared);
  const end = found.from + shared.length;
  Object.assign(found, { code: view.state.doc.toString(), cursor: end, to: end });
}

function insert(view: EditorView, { from, to }: Found, text: string): void {
  view.dispatch({
    changes: { from, to, insert: text },
    selection: { anchor: from + text.length },
    annotations: pickedCompletion.of({ label: text }),
    userEvent: "input.complete",
  });
}
