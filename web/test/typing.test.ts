import assert from "node:assert/strict";
import { test } from "node:test";

import { toCodePoints, toUnits } from "../src/code_points.ts";
import { nextIndent, offlineVerdict, quickVerdict } from "../src/completeness.ts";
import { newer, older, recall, search, shown, type Recall } from "../src/history.ts";
import { cleanPaste } from "../src/paste.ts";

const CODES = ["import math", "x = 1", "x = 1", "print(x)", "x += 1"];

function walk(from: Recall, ...steps: ("older" | "newer")[]): string[] {
  const seen: string[] = [];
  let at = from;
  for (const step of steps) {
    at = (step === "older" ? older(at) : newer(at)) ?? at;
    seen.push(shown(at));
  }
  return seen;
}

test("history goes back from the newest, shows neighbours once, and comes back to the draft", () => {
  const steps = ["older", "older", "older", "older", "older", "newer"] as const;
  assert.deepEqual(walk(recall(CODES, "dra", ""), ...steps),
    ["x += 1", "print(x)", "x = 1", "import math", "import math", "x = 1"]);
  assert.deepEqual(walk(recall(CODES, "dra", ""), "older", "newer"), ["x += 1", "dra"]);
  assert.equal(newer(recall(CODES, "dra", "")), null);
});

test("what stands before the cursor filters the history", () => {
  assert.deepEqual(walk(recall(CODES, "x", "x"), "older", "older", "older"), ["x += 1", "x = 1", "x = 1"]);
});

test("the search finds every word in any case, newest first, each text once", () => {
  assert.deepEqual(search(CODES, "X 1"), ["x += 1", "x = 1"]);
  assert.deepEqual(search(CODES, ""), ["x += 1", "print(x)", "x = 1", "import math"]);
  assert.deepEqual(search(CODES, "nothing"), []);
});

test("a pasted console session loses its prompts and its output", () => {
  assert.equal(cleanPaste(">>> for n in range(2):\n...     print(n)\n...\n0\n1\n>>> x = 1\n"),
    "for n in range(2):\n    print(n)\n\nx = 1");
  assert.equal(cleanPaste("In [3]: y = 2\n   ...: z = 3\nOut[3]: 4"), "y = 2\nz = 3");
  assert.equal(cleanPaste(">>> one"), "one");
});

test("pasted code that is indented as a whole is moved to the left, other code is untouched", () => {
  assert.equal(cleanPaste("    def f():\n        return 1\n\n    f()\n"), "def f():\n    return 1\n\nf()\n");
  assert.equal(cleanPaste("def f():\n    return 1\n"), "def f():\n    return 1\n");
  assert.equal(cleanPaste("  word"), "  word");
  assert.equal(cleanPaste("a\r\nb"), "a\nb");
});

test("a comparison that begins a line of code is no prompt", () => {
  assert.equal(cleanPaste("x = (a\n>> b)"), "x = (a\n>> b)");
});

test("one statement that opens nothing may run without asking", () => {
  for (const code of ["x = 1", "print('a:b')", "f(1, [2])", "x = 'it''s' # (", "'''one'''", "forty = 2"]) {
    assert.equal(quickVerdict(code), "complete", code);
  }
});

test("what is open is incomplete", () => {
  for (const code of ["f(", "x = [1,", "'''text", "x = 1 + \\", "if x:", "def f():", "x = {'a': '}'"]) {
    assert.equal(quickVerdict(code), "incomplete", code);
  }
});

test("inside a block only an empty line may end it, inside brackets the indent means nothing", () => {
  assert.equal(quickVerdict("for n in x:\n    f(n)"), "incomplete");
  assert.equal(quickVerdict("for n in x:\n    f(n)\n    "), "ask");
  assert.equal(quickVerdict("x = [\n    1,\n    2]"), "ask");
  assert.equal(quickVerdict("x = '''a\n  b'''"), "ask");
  assert.equal(quickVerdict("x = 1 + \\\n  2"), "ask");
});

test("what may go on is asked about", () => {
  for (const code of ["if x: y", "@cached", "x)", "async def f(): pass"]) {
    assert.equal(quickVerdict(code), "ask", code);
  }
});

test("offline, an indented block ends with an empty line", () => {
  assert.equal(offlineVerdict("for n in x:\n    f(n)"), "incomplete");
  assert.equal(offlineVerdict("for n in x:\n    f(n)\n"), "complete");
  assert.equal(offlineVerdict("x = 1\ny = 2"), "complete");
});

test("the next line is indented like this one, and further after a colon", () => {
  assert.equal(nextIndent("if x:"), "    ");
  assert.equal(nextIndent("if x:\n    y"), "    ");
  assert.equal(nextIndent("x"), "");
});

test("positions are counted in code points on the wire and in UTF-16 units in the editor", () => {
  const text = "a😀b";
  assert.deepEqual([0, 1, 3, 4].map((at) => toCodePoints(text, at)), [0, 1, 2, 3]);
  assert.deepEqual([0, 1, 2, 3].map((at) => toUnits(text, at)), [0, 1, 3, 4]);
  assert.equal(toUnits(text, 99), 4);
});
