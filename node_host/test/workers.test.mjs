import assert from "node:assert/strict";
import test from "node:test";

import { Workers } from "../src/workers.mjs";

/** A worker whose entries end when the test says so. */
class Made {
  /** @type {unknown[][]} */
  given = [];
  done = (/** @type {unknown} */ _result) => assert.fail("it has not begun");
  #ended = Promise.withResolvers();
  fail = this.#ended.reject;
  give = (/** @type {unknown[]} */ ...entry) => this.given.push(entry);
  work = {
    callPromising: (/** @type {(result: unknown) => void} */ done) => {
      this.done = /** @type {any} */ (done);
      return /** @type {Promise<any>} */ (this.#ended.promise);
    },
  };
}

function setUp() {
  /** @type {any[]} */
  const made = [];
  /** @type {any[]} */
  const failures = [];
  const make = () => made[made.push(new Made()) - 1];
  return { made, failures, workers: new Workers(make, (error) => failures.push(error)) };
}

test("entries run on the same stack, one after another", async () => {
  const { made, workers } = setUp();
  for (let number = 0; number < 100; number += 1) {
    const entry = workers.call("execute", number, "code");
    assert.deepEqual(made[0].given.at(-1), ["execute", number, "code"]);
    made[0].done(number * 2);
    assert.equal(await entry, number * 2);
  }
  assert.equal(made.length, 1);
});

test("there are as many stacks as entries that are suspended at a time", async () => {
  const { made, workers } = setUp();
  const sleeping = workers.call("execute");
  const other = workers.call("step");
  assert.equal(made.length, 2);
  made[1].done();
  await other;
  for (let number = 0; number < 10; number += 1) {
    const step = workers.call("step");
    made[1].done(number);
    assert.equal(await step, number);
  }
  made[0].done("slept");
  assert.equal(await sleeping, "slept");
  workers.call("a");
  workers.call("b");
  assert.equal(made.length, 2);
  workers.call("c");
  assert.equal(made.length, 3);
});

test("an entry may be followed by the next before its caller hears of its end", async () => {
  const { made, workers } = setUp();
  /** @type {string[]} */
  const order = [];
  const first = workers.call("a").then(() => order.push("first"));
  made[0].done();
  const second = workers.call("b").then(() => order.push("second"));
  made[0].done();
  await Promise.all([first, second]);
  assert.deepEqual(order, ["first", "second"]);
});

test("a failure is told, whichever entry it was", async () => {
  const { made, failures, workers } = setUp();
  await Promise.all([workers.call("a"), made[0].done()]);
  workers.call("b");
  made[0].fail(new Error("lost"));
  await new Promise(setImmediate);
  assert.deepEqual(
    failures.map(({ message }) => message),
    ["lost"],
  );
});
