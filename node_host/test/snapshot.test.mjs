import assert from "node:assert/strict";
import test from "node:test";

import { copyPages, trimmed } from "../src/snapshot.mjs";

/**
 * @param {number} bytes
 * @param {number[]} places
 */
function memory(bytes, places) {
  const made = new Uint8Array(bytes);
  for (const place of places) made[place] = (place % 255) + 1;
  return made;
}

/** @param {Uint8Array} source */
function copied(source) {
  const target = new Uint8Array(source.length);
  let bytes = 0;
  copyPages((part, offset) => {
    target.set(part, offset);
    bytes += part.length;
  }, source);
  assert.deepEqual(target, source);
  return bytes;
}

test("zeros at the end are cut, to whole blocks", () => {
  assert.equal(trimmed(memory(300_000, [5])).length, 65536);
  assert.equal(trimmed(memory(300_000, [65536])).length, 131072);
  assert.equal(trimmed(memory(300_000, [299_999])).length, 300_000);
  assert.equal(trimmed(memory(300_000, [])).length, 0);
});

test("only pages that hold something are copied", () => {
  assert.equal(copied(memory(40_960, [0])), 4096);
  assert.equal(copied(memory(40_960, [4095, 4096, 20_000])), 3 * 4096);
  assert.equal(copied(memory(40_960, [])), 0);
});

test("any memory is the same after the copy, also with an odd end", () => {
  for (let round = 0; round < 50; round++) {
    const size = 4096 * 3 + Math.floor(Math.random() * 9000);
    const places = Array.from({ length: round % 7 }, () => Math.floor(Math.random() * size));
    copied(memory(size, [...places, size - 1]));
  }
});

test("a part of a larger buffer is copied from its own start", () => {
  const whole = memory(65536, [8192, 12_288 + 7]);
  copied(whole.subarray(8192, 8192 + 16_384));
});
