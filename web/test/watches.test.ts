import assert from "node:assert/strict";
import { test } from "node:test";

import type { OpenSession } from "../src/open_session.ts";
import { followDraft } from "../src/watch_draft.ts";

/** A session whose server knows these watches, by expression, and refuses an empty one. */
function sessionWith(watches: Record<string, string>) {
  const asked: unknown[] = [];
  const call = async (name: string, args: { expression?: string }) => {
    asked.push([name, args]);
    const { expression } = args;
    if (expression === "") throw new Error("refused");
    return { watch: watches[expression ?? ""] ?? "new" };
  };
  return { open: { call } as unknown as OpenSession, asked };
}

test("a condition of blanks is none", async () => {
  const { open, asked } = sessionWith({});
  await followDraft(open, { expression: "n", condition: " ", replaces: null });
  await followDraft(open, { expression: "n", condition: "value", replaces: null });
  assert.deepEqual(asked, [
    ["watch.add", { expression: "n" }], ["watch.add", { expression: "n", condition: "value" }],
  ]);
});

test("a changed watch goes when the new one is there, and one that did not change stays", async () => {
  const { open, asked } = sessionWith({ n: "old" });
  await followDraft(open, { expression: "n", condition: "", replaces: "old" });
  await followDraft(open, { expression: "n + 1", condition: "", replaces: "old" });
  assert.deepEqual(asked.slice(1), [["watch.add", { expression: "n + 1" }], ["watch.remove", { watch: "old" }]]);
});

test("what is refused takes nothing away", async () => {
  const { open, asked } = sessionWith({});
  await assert.rejects(followDraft(open, { expression: "", condition: "", replaces: "old" }), /refused/);
  assert.equal(asked.length, 1);
});
