import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import { collectWhenIdle } from "../src/garbage.mjs";

test("garbage is collected once, and not while something runs", async () => {
  let busy = true;
  let collected = 0;
  collectWhenIdle(
    () => busy,
    () => collected++,
  );
  await wait(350);
  assert.equal(collected, 0);
  busy = false;
  await wait(350);
  assert.equal(collected, 1);
});

test("collecting frees what nobody holds", async () => {
  const held = new WeakRef({});
  await wait(1); // a reference that this turn has looked at is kept until its end
  collectWhenIdle(() => false);
  await wait(300);
  assert.equal(held.deref(), undefined);
});
