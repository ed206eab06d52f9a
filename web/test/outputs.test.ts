import assert from "node:assert/strict";
import { test } from "node:test";

import { runs } from "../src/ansi.ts";
import type { Output } from "../src/messages.ts";
import { appendOutput, itemsOf, overwriteLines, settleLines, type Item } from "../src/outputs.ts";
import { randomText } from "./pictures.ts";
import { forSeeds } from "./random.ts";

function stream(text: string, name: "stdout" | "stderr" = "stdout"): Output {
  return { type: "stream", name, text };
}

function textOf(items: readonly Item[]): string {
  return items.map((item) => (item.kind === "text" ? item.text : "")).join("");
}

test("neighbouring pieces of one stream become one piece, those of two streams do not", () => {
  const items = itemsOf([stream("a"), stream("b\n"), stream("oops\n", "stderr"), stream("c")]);
  assert.deepEqual(items.map((item) => item.kind === "text" && [item.name, item.text]),
    [["stdout", "ab\n"], ["stderr", "oops\n"], ["stdout", "c"]]);
});

test("however text is cut into events, the pieces are the same", () => {
  forSeeds(300, (random) => {
    const text = Array.from({ length: 80 }, () => randomText(random, 12)).join("");
    let items: readonly Item[] = [];
    for (let from = 0; from < text.length;) {
      const to = Math.min(text.length, from + 1 + random.below(200));
      items = appendOutput(items, stream(text.slice(from, to)));
      from = to;
    }
    assert.deepEqual(items, itemsOf([stream(text)]));
  });
});

test("long output is cut into pieces at line ends and nothing is lost", () => {
  const text = Array.from({ length: 10_000 }, (_, n) => `line ${n}\n`).join("");
  const items = itemsOf([stream(text)]);
  assert.equal(textOf(items), text);
  assert.ok(items.length > 100);
  assert.ok(items.every((item) => item.kind === "text" && item.text.endsWith("\n") && item.text.length <= 4200));
});

test("a line without end is cut without splitting a character", () => {
  const text = `x${"😀".repeat(20_000)}`;
  const items = itemsOf([stream(text)]);
  assert.equal(textOf(items), text);
  assert.ok(items.length > 1);
  assert.ok(items.every((item) => item.kind === "text" && item.text.isWellFormed()));
});

test("colours go on into the next piece", () => {
  const items = itemsOf([stream(`\x1b[31m${"red\n".repeat(100)}`)]);
  const second = items[1];
  assert.ok(second?.kind === "text");
  assert.equal(second.style.foreground, "red");
  assert.equal(runs(second.text, second.style)[0]?.style.foreground, "red");
});

test("a progress bar stays one line", () => {
  let items: readonly Item[] = [];
  for (let n = 0; n <= 1000; n++) items = appendOutput(items, stream(`\r${n} of 1000`));
  assert.equal(items.length, 1);
  assert.ok(textOf(items).length < 60);
  assert.equal(settleLines(textOf(items)), "1000 of 1000");
});

test("carriage returns overwrite as in a terminal", () => {
  assert.equal(overwriteLines("abc\rX\n"), "Xbc\n");
  assert.equal(overwriteLines("line\r\nnext\r\n"), "line\nnext\n");
  assert.equal(settleLines("10%\r20%"), "20%");
  assert.equal(settleLines("plain"), "plain");
});

test("a cut keeps the head, says what is missing, and shows the newest end", () => {
  const cut = (dropped_bytes: number, text: string): Output => ({
    type: "stream.truncated", dropped_bytes, tail: [{ name: "stdout", text }], lost_bytes: 0,
    dropped_displays: 0,
  });
  const items = itemsOf([stream("head\n"), cut(10, "old\n"), cut(99, "new\n")]);
  assert.equal(items.length, 2);
  const gap = items[1];
  assert.ok(gap?.kind === "gap");
  assert.equal(gap.hiddenBytes, 99);
  assert.equal(textOf(gap.tail), "new\n");
});

test("an output that this page does not know is passed over", () => {
  assert.deepEqual(itemsOf([{ type: "hologram" } as unknown as Output]), []);
});
