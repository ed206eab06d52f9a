import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";

import { encodeBlob, encodeMessage, FrameError, FrameReader, MAX_FRAME_BYTES } from "../src/frames.mjs";

const vectors = JSON.parse(
  fs.readFileSync(new URL("../../tests/vectors/frames.json", import.meta.url), "utf8"),
);

/** @param {any} row */
function expected(row) {
  return row.kind === "J"
    ? { kind: "message", message: row.message }
    : { kind: "blob", requestId: row.request_id, data: Buffer.from(row.blob_hex, "hex") };
}

/** @param {Uint8Array} bytes */
function read(bytes, reader = new FrameReader()) {
  return reader.receiveData(bytes).map((frame) => {
    if (frame.kind === "blob") return frame;
    assert.deepEqual(JSON.parse(frame.text), frame.message);
    return { kind: frame.kind, message: frame.message };
  });
}

for (const row of vectors.frames)
  test(`golden frame: ${row.name}`, () => {
    const fromHost = row.hex_from_host ?? row.hex;
    const encoded =
      row.kind === "J"
        ? encodeMessage(row.message)
        : encodeBlob(row.request_id, Buffer.from(row.blob_hex, "hex"));
    assert.equal(encoded.toString("hex"), fromHost);
    assert.deepEqual(read(Buffer.from(row.hex, "hex")), [expected(row)]);
    assert.deepEqual(read(Buffer.from(fromHost, "hex")), [expected(row)]);
  });

for (const row of vectors.readable)
  test(`readable frame: ${row.name}`, () => {
    assert.deepEqual(read(Buffer.from(row.hex, "hex")), [expected(row)]);
  });

for (const row of vectors.malformed)
  test(`malformed frame: ${row.name}`, () => {
    assert.throws(
      () => read(Buffer.from(row.hex, "hex")),
      (error) => error instanceof FrameError && error.message.includes(row.error),
    );
  });

test("frames cut at any byte are the same frames", () => {
  const bytes = Buffer.concat(vectors.frames.map((/** @type {any} */ row) => Buffer.from(row.hex, "hex")));
  const whole = vectors.frames.map(expected);
  for (const size of [1, 2, 3, 7, 64, bytes.length - 1]) {
    const reader = new FrameReader();
    const frames = [];
    for (let i = 0; i < bytes.length; i += size) frames.push(...read(bytes.subarray(i, i + size), reader));
    assert.deepEqual(frames, whole, `cut every ${size} bytes`);
  }
});

test("the longest frame is read", () => {
  const text = JSON.stringify({ type: "x", pad: "" });
  const message = { type: "x", pad: "a".repeat(MAX_FRAME_BYTES - 1 - text.length) };
  const frame = encodeMessage(message);
  assert.equal(frame.readUInt32LE(0), MAX_FRAME_BYTES);
  assert.deepEqual(read(frame), [{ kind: "message", message }]);
});

test("a chunk stays as it is when the reader goes on", () => {
  const reader = new FrameReader();
  const [chunk] = reader.receiveData(encodeBlob(1, Buffer.from("first")));
  reader.receiveData(encodeBlob(1, Buffer.from("other")));
  assert.equal(chunk?.kind === "blob" && chunk.data.toString(), "first");
});
