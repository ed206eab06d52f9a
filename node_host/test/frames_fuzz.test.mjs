import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";

import { FrameError, FrameReader } from "../src/frames.mjs";
import { collectGarbage } from "../src/garbage.mjs";

const STREAMS = process.env.SOAK ? 1_000_000 : 10_000;
const GROWTH_BYTES = 8 * 2 ** 20;
const vectors = JSON.parse(
  fs.readFileSync(new URL("../../tests/vectors/frames.json", import.meta.url), "utf8"),
);
const golden = [...vectors.frames, ...vectors.frames, ...vectors.readable, ...vectors.malformed].map((row) =>
  Buffer.from(row.hex, "hex"),
);

/** Numbers that are the same in each run (mulberry32). */
function random(/** @type {number} */ seed) {
  return (/** @type {number} */ below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/**
 * Golden frames in a row, some of them damaged.
 * @param {(below: number) => number} pick
 */
function stream(pick) {
  const parts = Array.from({ length: 1 + pick(4) }, () => Buffer.from(golden[pick(golden.length)] ?? []));
  for (const part of parts)
    if (pick(2) && part.length) part[pick(part.length)] = [pick(256), 0, 0xff, 0x22, 0x5b][pick(5)] ?? 0;
  const whole = Buffer.concat(parts);
  return pick(4) ? whole : whole.subarray(pick(whole.length + 1));
}

/**
 * @param {Buffer} bytes
 * @param {number} size of the pieces that it is read in
 */
function read(bytes, size) {
  const reader = new FrameReader();
  let frames = 0;
  try {
    for (let at = 0; at < bytes.length; at += size)
      for (const frame of reader.receiveData(bytes.subarray(at, at + size))) {
        frames++;
        if (frame.kind === "message") assert.equal(typeof frame.message.type, "string");
      }
  } catch (error) {
    assert.ok(error instanceof FrameError, `${error}: ${bytes.toString("hex")}`);
  }
  return frames;
}

/** What is still held when all garbage is gone: how large a heap grows before that is its own affair. */
function heldBytes() {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test("damaged frames are frames or a FrameError, and are not kept", () => {
  let frames = 0;
  let before = 0;
  for (let seed = 0; seed < STREAMS; seed++) {
    const pick = random(seed);
    frames += read(stream(pick), 1 + pick(40));
    if (seed === STREAMS / 10) before = heldBytes();
  }
  assert.ok(frames > STREAMS / 4, `only ${frames} frames`);
  const grown = heldBytes() - before;
  assert.ok(grown < GROWTH_BYTES, `${grown} bytes more are held`);
});
