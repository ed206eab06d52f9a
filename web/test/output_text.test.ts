// What the clipboard gets of an execution's output.
import assert from "node:assert/strict";
import { test } from "node:test";

import { itemsOf } from "../src/outputs.ts";
import { outputText } from "../src/output_text.ts";
import type { Output } from "../src/messages.ts";

const stream = (text: string, name: "stdout" | "stderr" = "stdout"): Output => ({ type: "stream", name, text });
const copied = (...outputs: Output[]) => outputText(itemsOf(outputs));

test("printed text is copied as a terminal shows it, without colours", () => {
  assert.equal(copied(stream("\x1b[31mred\x1b[0m\n10%\r20%\n")).text, "red\n20%");
  assert.equal(copied(stream("out\n"), stream("err\n", "stderr"), stream("out\n")).text, "out\nerr\nout");
});

test("a result begins its own line and is copied in its plain form", () => {
  const result: Output = {
    type: "execute_result", number: 1, bundle: { "text/html": "<b>3</b>", "text/plain": "3" },
  };
  assert.equal(copied(stream("no line feed"), result).text, "no line feed\n3");
});

test("an error is copied with its traceback", () => {
  const error: Output = {
    type: "error", name: "KeyError", message: "'x'", line: 1,
    traceback: ["Traceback (most recent call last):\n", "KeyError: 'x'"],
  };
  assert.equal(copied(error).text, "Traceback (most recent call last):\nKeyError: 'x'");
});

test("what is not shown is marked and counted", () => {
  const truncated: Output = {
    type: "stream.truncated", dropped_bytes: 5000, lost_bytes: 0, dropped_displays: 0,
    tail: [{ name: "stdout", text: "last\n" }],
  };
  assert.deepEqual(copied(stream("first\n"), truncated), { text: "first\n…\nlast", hiddenBytes: 5000 });
});

test("a password is not copied", () => {
  const input = (password: boolean): Output => ({
    type: "input", request: 1, prompt: "Word: ", password, text: "secret", state: "answered",
  });
  assert.equal(copied(input(true)).text, "Word: ");
  assert.equal(copied(input(false)).text, "Word: secret");
});
