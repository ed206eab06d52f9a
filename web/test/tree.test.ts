import assert from "node:assert/strict";
import { test } from "node:test";

import type { Child, Path } from "../src/messages.ts";
import { pythonExpression, startsWith } from "../src/paths.ts";
import { branchFor, changeBranch, CHILDREN_SHOWN, openBranch, PAGE, putPage, Rows, type Branch } from "../src/tree.ts";
import { sortVariables } from "../src/variable_order.ts";
import { variable } from "./pictures.ts";
import { forSeeds } from "./random.ts";

function child(index: number): Child {
  return { key: { index }, label: `[${index}]`, variable: variable(String(index), String(index)) };
}

function page(number: number, total: number): Child[] {
  const from = number * PAGE;
  return Array.from({ length: Math.min(PAGE, total - from) }, (_, at) => child(from + at));
}

function labels(rows: Rows): string[] {
  return Array.from({ length: rows.count }, (_, index) => {
    const row = rows.at(index);
    return row?.kind === "value" ? `${" ".repeat(row.depth)}${row.label}` : row?.kind ?? "nothing";
  });
}

function withPages(path: Path, index: number, depth: number, total: number): Branch {
  return putPage(branchFor(path, index, depth), 0, page(0, total), total);
}

test("what is open shows its children, what is not loaded yet shows that it loads", () => {
  const variables = [variable("a", "[…]"), variable("b", "1")];
  assert.deepEqual(labels(new Rows(variables, new Map())), ["a", "b"]);
  const opened = branchFor(["a"], -1, 0);
  assert.deepEqual(labels(new Rows(variables, new Map([["a", opened]]))), ["a", "loading", "b"]);
  const loaded = withPages(["a"], -1, 0, 2);
  assert.deepEqual(labels(new Rows(variables, new Map([["a", loaded]]))), ["a", " [0]", " [1]", "b"]);
});

test("an empty value says so", () => {
  assert.deepEqual(labels(new Rows([variable("a", "[]")], new Map([["a", withPages(["a"], -1, 0, 0)]]))),
    ["a", "empty"]);
});

test("children that are open stand after their own row, at every depth", () => {
  const inner = withPages(["a", { index: 1 }], 1, 1, 2);
  const branch = openBranch(withPages(["a"], -1, 0, 3), inner);
  assert.deepEqual(labels(new Rows([variable("a", "")], new Map([["a", branch]]))),
    ["a", " [0]", " [1]", "  [0]", "  [1]", " [2]"]);
  const closed = changeBranch(branch, ["a", { index: 1 }], () => null) as Branch;
  assert.deepEqual(labels(new Rows([variable("a", "")], new Map([["a", closed]]))),
    ["a", " [0]", " [1]", " [2]"]);
});

test("a value with a hundred thousand children is laid out without touching them", () => {
  const rows = new Rows([variable("big", "")], new Map([["big", withPages(["big"], -1, 0, 100_000)]]));
  assert.equal(rows.count, 100_001);
  const far = rows.at(90_000);
  assert.ok(far?.kind === "loading" && far.page === Math.floor(89_999 / PAGE));
});

test("more children than a browser can place end with a row that counts the rest", () => {
  const total = CHILDREN_SHOWN + 7;
  const rows = new Rows([variable("big", "")], new Map([["big", withPages(["big"], -1, 0, total)]]));
  const last = rows.at(rows.count - 1);
  assert.ok(last?.kind === "more" && last.hidden === 7);
});

test("every row is found where its place is counted, whatever is open", () => {
  forSeeds(100, (random) => {
    let branch = withPages(["a"], -1, 0, 1 + random.below(250));
    for (let opened = 0; opened < 4; opened++) {
      const index = random.below(Math.min(PAGE, branch.total ?? 1));
      branch = openBranch(branch, withPages(["a", { index }], index, 1, random.below(5)));
    }
    const rows = new Rows([variable("a", ""), variable("b", "")], new Map([["a", branch]]));
    const inner = branch.branches.reduce((sum, each) => sum + Math.max(1, each.total ?? 1), 0);
    assert.equal(rows.count, 2 + (branch.total ?? 0) + inner);
    assert.ok(Array.from({ length: rows.count }, (_, at) => rows.at(at)).every((row) => row !== null));
    assert.equal(rows.at(rows.count), null);
  });
});

test("an open child that is gone or has moved is closed when its page comes again", () => {
  const inner = withPages(["a", { index: 1 }], 1, 1, 2);
  const branch = openBranch(withPages(["a"], -1, 0, 3), inner);
  assert.equal(putPage(branch, 0, page(0, 3), 3).branches.length, 1);
  assert.equal(putPage(branch, 0, page(0, 1), 1).branches.length, 0);
  const moved = [child(0), { ...child(1), key: { key: "other" } }, child(2)];
  assert.equal(putPage(branch, 0, moved, 3).branches.length, 0);
});

test("a path is written as Python would", () => {
  assert.equal(pythonExpression(["units", { index: 3 }, { attr: "hp" }]), "units[3].hp");
  assert.equal(pythonExpression(["table", { key: "gold" }, { key: null }, { key: { $type: "int", value: "9" } }]),
    'table["gold"][None][9]');
  assert.equal(startsWith(["a", { index: 1 }, { attr: "b" }], ["a", { index: 1 }]), true);
  assert.equal(startsWith(["a", { index: 1 }], ["a", { index: 2 }]), false);
});

test("variables are shown recently changed first, or by name, filtered, hidden ones only on demand", () => {
  const variables = new Map([["b", variable("b", "")], ["a", variable("a", "")],
    ["_x", { ...variable("_x", ""), hidden: true }]]);
  const session = { variables, risenAt: new Map([["b", { seq: 5, execution: null }]]) };
  const choice = { filter: "", hidden: false, order: "recent" as const, held: null };
  const names = (changed: object) => sortVariables(session, { ...choice, ...changed }).map((each) => each.name);
  assert.deepEqual(names({}), ["b", "a"]);
  assert.deepEqual(names({ order: "name" }), ["a", "b"]);
  assert.deepEqual(names({ filter: "A" }), ["a"]);
  assert.deepEqual(names({ filter: "INT", hidden: true, order: "name" }), ["_x", "a", "b"]);
  assert.deepEqual(names({ held: ["a"] }), ["a", "b"]);
});
