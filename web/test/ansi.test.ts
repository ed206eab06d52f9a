import assert from "node:assert/strict";
import { test } from "node:test";

import { NO_STYLE, plainText, runs, styleAfter } from "../src/ansi.ts";
import { randomText } from "./pictures.ts";
import { forSeeds } from "./random.ts";

test("text without escapes is one run", () => {
  assert.deepEqual(runs("plain <b>text</b>"), [{ text: "plain <b>text</b>", style: NO_STYLE }]);
});

test("colours, styles and resets make runs", () => {
  const found = runs("a\x1b[1;31mb\x1b[22mc\x1b[0md");
  assert.deepEqual(found.map(({ text, style }) => [text, style.foreground, style.bold]),
    [["a", null, false], ["b", "red", true], ["c", "red", false], ["d", null, false]]);
});

test("palette and true colours become hexadecimal", () => {
  assert.equal(runs("\x1b[38;5;196mx")[0]?.style.foreground, "#ff0000");
  assert.equal(runs("\x1b[38;5;9mx")[0]?.style.foreground, "bright-red");
  assert.equal(runs("\x1b[48;5;232mx")[0]?.style.background, "#080808");
  assert.equal(runs("\x1b[38;2;1;2;300mx")[0]?.style.foreground, "#0102ff");
  assert.equal(runs("\x1b[1;38;2;1;2;3;4mx")[0]?.style.underline, true);
});

test("what only moves the cursor, names the window or links is not shown", () => {
  assert.equal(plainText("\x1b[2Ka\x1b[10;3Hb\x1b]0;title\x07c\x1b]8;;http://x\x1b\\d\x1b(Be"), "abcde");
});

test("an escape that is not finished yet is not shown", () => {
  assert.equal(plainText("abc\x1b[31"), "abc");
  assert.equal(plainText("abc\x1b"), "abc");
});

test("control characters are not shown, tabs and line feeds are", () => {
  assert.equal(plainText("a\x00b\x08\tc\nd\x7f"), "ab\tc\nd");
});

test("no text is lost or made up, and the style at the end is that of what follows", () => {
  forSeeds(300, (random) => {
    const [first, second] = [randomText(random, 20), randomText(random, 20)];
    const text = runs(first + second).map((run) => run.text).join("");
    assert.equal(text, plainText(first + second));
    const style = styleAfter(first, NO_STYLE);
    const apart = [...runs(first), ...runs(second, style)].map((run) => run.text).join("");
    assert.equal(apart, text);
    assert.deepEqual(styleAfter(second, style), styleAfter(first + second, NO_STYLE));
  });
});
