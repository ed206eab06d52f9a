import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Streams } from "../src/streams.mjs";
import { TextReader } from "../src/utf8.mjs";

/** @param {number} [limit] */
function collecting(limit = 2 ** 26) {
  /** @type {any[]} */
  const sent = [];
  return { sent, streams: new Streams((message) => sent.push(message), limit) };
}

/** @param {string} text */
function bytes(text) {
  return Buffer.from(text);
}

test("many small writes come as one message", async () => {
  const { sent, streams } = collecting();
  streams.flush(); // from here on the next 8 ms are merged
  for (let i = 0; i < 100; i++) streams.write("stdout", bytes(`${i}\n`));
  assert.ok(sent.length <= 1);
  await sleep(30);
  assert.ok(sent.length <= 2);
  const lines = Array.from({ length: 100 }, (_, i) => `${i}\n`).join("");
  assert.equal(sent.map(({ text }) => text).join(""), lines);
});

test("a write after a quiet time is sent at once", async () => {
  const { sent, streams } = collecting();
  await sleep(20);
  streams.write("stdout", bytes("now"));
  assert.deepEqual(sent, [{ type: "stream", request_id: 0, name: "stdout", text: "now" }]);
});

test("the two streams keep their order", () => {
  const { sent, streams } = collecting();
  streams.flush();
  for (const [name, text] of /** @type {const} */ ([["stdout", "a"], ["stderr", "b"], ["stdout", "c"]]))
    streams.write(name, bytes(text));
  streams.flush();
  assert.deepEqual(sent.map(({ name, text }) => [name, text]), [["stdout", "a"], ["stderr", "b"], ["stdout", "c"]]);
});

test("what was written before the owner changed is the former owner's", () => {
  const { sent, streams } = collecting();
  streams.flush();
  streams.own(1);
  streams.write("stdout", bytes("one"));
  streams.own(2);
  streams.write("stdout", bytes("two"));
  streams.flush();
  assert.deepEqual(sent.map(({ request_id, text }) => [request_id, text]), [[1, "one"], [2, "two"]]);
});

test("no message is longer than 65,536 characters", () => {
  const { sent, streams } = collecting();
  const text = "é".repeat(200_000);
  streams.write("stdout", bytes(text));
  streams.flush();
  assert.ok(sent.every((message) => message.text.length <= 65536));
  assert.equal(sent.map((message) => message.text).join(""), text);
});

test("output beyond the limit is counted, and told before the end", () => {
  const { sent, streams } = collecting(10);
  streams.own(7);
  for (let i = 0; i < 5; i++) streams.write("stdout", bytes("1234567"));
  streams.finish(7);
  const text = sent.filter(({ type }) => type === "stream").map((message) => message.text);
  assert.equal(text.join(""), "1234567123");
  const dropped = sent.filter(({ type }) => type === "stream_dropped");
  assert.deepEqual(dropped.at(-1), { type: "stream_dropped", request_id: 7, dropped_bytes: 25 });
  assert.equal(sent.at(-1), dropped.at(-1));
});

test("dropped output is told at most once a second while it floods", () => {
  const { sent, streams } = collecting(1);
  const end = performance.now() + 300;
  while (performance.now() < end) streams.write("stdout", bytes("x".repeat(100)));
  assert.ok(sent.filter(({ type }) => type === "stream_dropped").length <= 1);
});

test("each execution has a limit of its own", () => {
  const { sent, streams } = collecting(3);
  for (const owner of [1, 2]) {
    streams.own(owner);
    streams.write("stdout", bytes("12345"));
    streams.finish(owner);
  }
  const text = sent.filter(({ type }) => type === "stream");
  assert.deepEqual(text.map((message) => [message.request_id, message.text]), [[1, "123"], [2, "123"]]);
});

test("executions that were forgotten share one limit, however they take turns", () => {
  const { sent, streams } = collecting(3);
  const print = (/** @type {number} */ owner) => {
    streams.own(owner);
    streams.write("stdout", bytes("12345"));
    streams.finish(owner);
  };
  for (let owner = 1; owner <= 2500; owner++) print(owner);
  for (let turn = 0; turn < 3; turn++) for (let owner = 1; owner <= 1500; owner++) print(owner);
  const text = sent.filter(({ type }) => type === "stream").map((message) => message.text);
  assert.equal(text.join("").length, 3 * 2501);
});

const MIXED = "aé✓🐍\u{10ffff}\ufeff한ퟻ z";

test("text is the same wherever its bytes are cut", () => {
  const all = bytes(MIXED);
  for (let size = 1; size <= all.length; size++) {
    const reader = new TextReader();
    let text = "";
    for (let at = 0; at < all.length; at += size) text += reader.read(all.subarray(at, at + size));
    assert.equal(text, MIXED, `cut every ${size} bytes`);
  }
});

test("a lone surrogate comes through, as Python writes it", () => {
  const all = Buffer.concat([bytes("a"), Buffer.from("eda080", "hex"), bytes("é"), Buffer.from("edbfbf", "hex")]);
  for (let size = 1; size <= all.length; size++) {
    const reader = new TextReader();
    let text = "";
    for (let at = 0; at < all.length; at += size) text += reader.read(all.subarray(at, at + size));
    assert.equal(text, "a\ud800é\udfff");
  }
});

test("bytes that are no text become replacement characters and nothing is lost behind them", () => {
  const reader = new TextReader();
  assert.equal(reader.read(Buffer.from([0xff, 0x61, 0x80, 0x62])), "\ufffda\ufffdb");
});
