import assert from "node:assert/strict";
import { test } from "node:test";

import { mirrorWords } from "../src/mirror.ts";

test("what waits is counted as people read it", () => {
  const words = (state: "behind" | "disconnected" | "connected", behind_by: number) => mirrorWords({ state, behind_by }).shown;
  assert.equal(words("behind", 1234), "mirror 1,234 events behind");
  assert.equal(words("behind", 1), "mirror 1 event behind");
  assert.equal(words("disconnected", 1234), "database away – 1,234 events wait");
  assert.equal(words("disconnected", 1), "database away – 1 event waits");
  assert.equal(words("connected", 0), "mirrored");
});

test("each state is explained, and what is said aloud does not change with the count", () => {
  for (const state of ["connected", "behind", "disconnected"] as const) {
    const few = mirrorWords({ state, behind_by: 1 });
    const many = mirrorWords({ state, behind_by: 5000 });
    assert.match(few.meaning, /SpacetimeDB database .+\.$/);
    assert.equal(few.change, many.change);
    if (state !== "connected") assert.match(many.meaning, /5,000 events .+ Nothing is lost/);
  }
});
