import assert from "node:assert/strict";
import { test } from "node:test";

import type { Child, LiveMessage, VariableChange } from "../src/messages.ts";
import { receive, sessionOf, showLive } from "../src/session.ts";
import { Touches } from "../src/touches.ts";
import { branchFor, inView, patchPage, putPage, Rows } from "../src/tree.ts";
import { emptyState, event, variable } from "./pictures.ts";

function set(name: string, preview: string, version: number): VariableChange {
  return { op: "set", name, variable: { ...variable(name, preview), version }, execution: null, line: null, author: null };
}

function live(after_seq: number, ...changes: VariableChange[]): LiveMessage {
  return { session: emptyState().session, after_seq, changes, patches: [], line: null };
}

const empty = sessionOf(emptyState());

test("live shows what is newer, and the record does not take it back", () => {
  const ahead = showLive(empty, live(0, set("x", "7", 7)));
  assert.equal(ahead.variables.get("x")?.preview, "7");
  const older = receive(ahead, [event(1, "variables.changed", { running: true, changes: [set("x", "5", 5)] })]);
  assert.equal(older.variables.get("x")?.preview, "7");
  const newer = receive(older, [event(2, "variables.changed", { running: false, changes: [set("x", "9", 9)] })]);
  assert.equal(newer.variables.get("x")?.preview, "9");
  assert.equal(showLive(newer, live(1, set("x", "8", 8))).variables.get("x")?.preview, "9");
});

test("a delete that is shown live holds only where the record is not further", () => {
  const known = receive(empty, [event(1, "variables.changed", { running: false, changes: [set("x", "1", 1)] })]);
  const gone: VariableChange = { op: "delete", name: "x", variable: null, execution: null, line: null, author: null };
  assert.equal(showLive(known, live(0, gone)).variables.has("x"), true);
  assert.equal(showLive(known, live(1, gone)).variables.has("x"), false);
});

test("what a process showed before it was replaced does not come back", () => {
  const reset = receive(empty, [event(1, "state.reset", {
    reason: "restarted", variables: [], watches: [], restore: [] })]);
  assert.equal(showLive(reset, live(0, set("x", "7", 7))), reset);
});

function child(index: number, preview: string, version = 1): Child {
  return { key: { index }, label: String(index), variable: { ...variable(String(index), preview), version } };
}

test("a patch changes its rows, shortens, lengthens and renews the version of all", () => {
  const known = [child(0, "a"), child(1, "b"), child(2, "c")];
  const rows = patchPage(known, 2, 9, [{ row: 1, child: child(1, "B", 9) }]);
  assert.deepEqual(rows?.map((each) => [each.variable.preview, each.variable.version]), [["a", 9], ["B", 9]]);
  assert.equal(patchPage(known, 4, 9, [{ row: 3, child: child(3, "d", 9) }])?.length, 4);
  assert.equal(patchPage([], 2, 9, [{ row: 1, child: child(1, "B", 9) }]), null);
});

test("what is in view is told as names and pages", () => {
  const total = 250;
  const page = Array.from({ length: 100 }, (_, index) => child(index, "v"));
  const branch = putPage(branchFor(["units"], -1, 0), 0, page, total);
  const rows = new Rows([variable("a", "1"), variable("units", "[…]")], new Map([["units", branch]]));
  assert.deepEqual(inView(rows, [0]), { names: ["a"], windows: [] });
  const view = inView(rows, [1, 2, 103, 104]);
  assert.deepEqual(view.names, ["units"]);
  assert.deepEqual(view.windows.map(({ offset }) => offset), [0, 100]);
});

test("what changes all the time flashes steadily", () => {
  const touches = new Touches();
  assert.equal(touches.fresh("x", 0), null);
  touches.note("x", 0);
  assert.deepEqual(touches.fresh("x", 10), { at: 0, steady: false });
  touches.note("x", 100);
  assert.deepEqual(touches.fresh("x", 110), { at: 100, steady: true });
  assert.equal(touches.fresh("x", 5000), null);
});
