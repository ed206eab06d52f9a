import assert from "node:assert/strict";
import test from "node:test";

import { readConfig, readImageConfig } from "../src/config.mjs";
import { describeFatal, isFatal, messageOf } from "../src/fatal.mjs";

class Exit extends Error {}

for (const [error, cause] of /** @type {const} */ ([
  [new RangeError("Maximum call stack size exceeded"), "stack"],
  [new RangeError("Array buffer allocation failed"), "memory"],
  [Object.assign(new Error("MemoryError"), { type: "MemoryError" }), "memory"],
  [new WebAssembly.RuntimeError("memory access out of bounds"), "fatal"],
  [new Exit("exit(3)"), "fatal"],
  ["a text", "fatal"],
  [undefined, "fatal"],
]))
  test(`the cause of ${error} is ${cause}`, () => {
    const told = describeFatal(error);
    assert.equal(told.cause, cause);
    assert.ok(told.message.length > 10 && told.message.length < 3000);
  });

test("what the user's JavaScript throws is not the end of the interpreter", () => {
  assert.equal(isFatal(new Error("boom")), false);
  assert.equal(isFatal("a text"), false);
  assert.equal(isFatal(undefined), false);
  assert.equal(isFatal(Object.assign(new Error("x"), { pyodide_fatal_error: true })), true);
  assert.equal(isFatal(new WebAssembly.RuntimeError("unreachable")), true);
});

test("an error's text is its message alone", () => {
  assert.equal(messageOf(new Error("why")), "why");
  assert.equal(messageOf("why"), "why");
});

const CONFIG = {
  fd: 7,
  pyodide_dir: "/p",
  monitor_dir: "/m",
  image: null,
  memory_bytes: null,
  output_bytes: 1000,
  poll_ms: 250,
  variables: 100,
};

test("the configuration is read by name", () => {
  const config = readConfig(JSON.stringify({ ...CONFIG, image: "/i", memory_bytes: 65536 }));
  assert.deepEqual([config.fd, config.pyodideDir, config.image, config.memoryBytes], [7, "/p", "/i", 65536]);
  assert.equal(readConfig(JSON.stringify(CONFIG)).image, null);
  assert.equal(readImageConfig('{"pyodide_dir":"/p","monitor_dir":"/m","out":"/o"}').out, "/o");
});

for (const [field, value] of [["fd", "7"], ["fd", -1], ["pyodide_dir", ""], ["poll_ms", 1.5], ["image", 3]])
  test(`a wrong ${field} is named: ${JSON.stringify(value)}`, () => {
    assert.throws(
      () => readConfig(JSON.stringify({ ...CONFIG, [String(field)]: value })),
      new RegExp(`the configuration's ${field} must be`),
    );
  });

test("a missing configuration is said", () => {
  assert.throws(() => readConfig(undefined), /the configuration is missing/);
});
