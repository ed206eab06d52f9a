// What the page says of limits: words, shares, and when it warns.
import assert from "node:assert/strict";
import test from "node:test";

import type { Limits, Usage } from "../src/messages.ts";
import { meters, nearest } from "../src/usage.ts";

const LIMITS: Limits = {
  memory_bytes: 512_000_000, wall_s: null, cpu_s: 10, cpu_hour_s: 600, output_bytes: 1_000_000,
  code_bytes: 1_000_000, variables: 100, variables_bytes: 8_000_000, queue: 10, participants: 5, calls_per_s: 500,
};
const USAGE: Usage = {
  memory_bytes: 128_000_000, process_bytes: 240_000_000, wall_s: 3, cpu_s: 2, cpu_hour_s: 60,
  cpu_hour_free_in_s: null, output_bytes: 0, variables: 40, variables_bytes: 100, variables_left_out: 0,
  queue: 0, participants: 1,
};

function named(usage: Partial<Usage>, name: string) {
  const found = meters({ limits: LIMITS, usage: { ...USAGE, ...usage } }).find((each) => each.name === name);
  assert.ok(found);
  return found;
}

test("a quarter of the memory is a quarter of the bar, and no warning", () => {
  const memory = named({}, "Memory");
  assert.deepEqual([memory.used, memory.limit, memory.share, memory.isNear], ["128 MB", "512 MB", 0.25, false]);
  assert.equal(nearest(meters({ limits: LIMITS, usage: USAGE })), null);
});

test("what has no limit is told and never warns", () => {
  const time = named({ wall_s: 100_000 }, "Time of this execution");
  assert.deepEqual([time.used, time.limit, time.share, time.isNear], ["27 h 46 min", null, 0, false]);
});

test("the fullest of those that are nearly used up is shown", () => {
  const usage = { ...USAGE, cpu_s: 8.5, cpu_hour_s: 598 };
  assert.equal(nearest(meters({ limits: LIMITS, usage }))?.name, "Processor, this hour");
});

test("an hour that is used up says when code runs again", () => {
  const hour = named({ cpu_hour_s: 601, cpu_hour_free_in_s: 1500 }, "Processor, this hour");
  assert.deepEqual([hour.share, hour.note], [1, "Used up: code runs again in 25 min 0 s."]);
});

test("variables that are left out count, and are said", () => {
  const variables = named({ variables: 100, variables_left_out: 999_900 }, "Variables");
  assert.deepEqual([variables.used, variables.share, variables.note],
    ["1,000,000", 1, "999,900 are left out of the list."]);
});
