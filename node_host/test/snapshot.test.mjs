import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";

import { Image, packImage } from "../src/snapshot.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "image-"));
after(() => fs.rmSync(folder, { recursive: true }));

/**
 * @param {number} bytes
 * @param {number[]} places
 */
function memory(bytes, places) {
  const made = new Uint8Array(bytes);
  for (const place of places) made[place] = (place % 255) + 1;
  return made;
}

/** @param {Uint8Array} data */
function written(data) {
  const file = path.join(folder, "a.image");
  fs.writeFileSync(file, data);
  return file;
}

/**
 * Write and restore; the size of the file, and what came back of its other parts.
 * @param {Uint8Array} source
 */
function restored(source, header = Uint8Array.of(1, 2, 3), code = Uint8Array.of(4, 5)) {
  const packed = packImage({ header, memory: source }, code);
  const image = new Image(written(packed));
  const target = new Int8Array(source.length + 100);
  image.restore(target);
  assert.deepEqual(new Uint8Array(target.buffer, 0, source.length), source);
  assert.equal(image.memoryBytes, source.length);
  assert.deepEqual(image.header, header);
  assert.deepEqual([...image.code], [...code]);
  return packed.length;
}

test("only pages that hold something are kept", () => {
  const empty = restored(memory(40_960, []));
  assert.ok(empty < 100, `${empty} bytes`);
  assert.equal(restored(memory(40_960, [0])) - empty, 4096 + 8);
  assert.equal(restored(memory(40_960, [4095, 4096, 20_000])) - empty, 3 * 4096 + 2 * 8);
});

test("any memory is the same when it is restored, also with an odd end", () => {
  for (let round = 0; round < 50; round++) {
    const size = 4096 * 3 + Math.floor(Math.random() * 9000);
    const places = Array.from({ length: round % 7 }, () => Math.floor(Math.random() * size));
    restored(memory(size, [...places, size - 1]));
  }
});

test("a part of a larger buffer is kept from its own start", () => {
  const whole = memory(65536, [8192, 12_288 + 7]);
  restored(whole.subarray(8192, 8192 + 16_384), new Uint8Array(0), new Uint8Array(0));
});

test("pages of zeros are not written, so that they need no memory", () => {
  const image = new Image(written(packImage({ header: new Uint8Array(8), memory: memory(12_288, [5000]) }, new Uint8Array(0))));
  const target = new Int8Array(12_288).fill(7);
  image.restore(target);
  assert.deepEqual([target[0], target[4096], target[5000 - 4096], target[8192]], [7, 0, 7, 7]);
});

test("an image that is cut off, or another kind of file, is refused in words", () => {
  const packed = packImage({ header: new Uint8Array(8), memory: memory(8192, [1]) }, new Uint8Array(9));
  for (const bytes of [0, 10, 20, 30, packed.length - 1])
    assert.throws(() => new Image(written(packed.subarray(0, bytes))), /cut off: delete it/);
  assert.throws(() => new Image(written(new Uint8Array(100))), /no image of this version: delete it/);
});
