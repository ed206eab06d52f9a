import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { gate, Stepper } from "../src/timers.mjs";

/** @param {(stepper: Stepper) => void} use */
async function turnsOf(use) {
  /** @type {number[]} */
  const turns = [];
  const started = performance.now();
  use(new Stepper(() => turns.push(performance.now() - started)));
  await sleep(80);
  return turns;
}

test("one turn comes for many calls", async () => {
  const turns = await turnsOf((stepper) => {
    for (let i = 0; i < 10; i++) stepper.schedule(0);
  });
  assert.equal(turns.length, 1);
});

test("the earliest time counts, whatever was asked first", async () => {
  for (const order of [[50, 5], [5, 50]]) {
    const turns = await turnsOf((stepper) => order.forEach((ms) => stepper.schedule(ms)));
    assert.equal(turns.length, 1);
    // Node counts timers in whole milliseconds: one may come up to a millisecond early.
    assert.ok((turns[0] ?? 0) >= 4 && (turns[0] ?? 0) < 45, `${turns}`);
  }
});

test("a turn at once takes the place of a later one, which is asked for again", async () => {
  const turns = await turnsOf((stepper) => {
    stepper.schedule(40);
    stepper.schedule(0);
  });
  assert.equal(turns.length, 1);
});

test("a time too long for a timer does not come at once", async () => {
  assert.deepEqual(await turnsOf((stepper) => stepper.schedule(2 ** 40)), []);
});

test("a gate opens by its key and by its time", async () => {
  const closed = gate(0);
  const timed = gate(5);
  await timed.promise;
  let isOpen = false;
  closed.promise.then(() => (isOpen = true));
  await sleep(5);
  assert.equal(isOpen, false);
  closed.open();
  await closed.promise;
});
