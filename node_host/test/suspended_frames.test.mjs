import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { boot } from "../src/interpreter.mjs";
import { CURRENT_FRAME, hideSuspendedFrames } from "../src/suspended_frames.mjs";

const COOKIE = "xdebugpy"; // with which _PyDebugOffsets begins
const FACT_BYTES = 8;
// Behind the cookie, the version and whether this is the free threaded build come the groups of
// facts about the runtime (3) and about an interpreter (16), then those about a thread.
const FACTS_BEFORE = 3 + 3 + 16;

test("the interpreter keeps a thread's frame where it is looked for", async () => {
  const pyodide = await boot({ pyodideDir: fileURLToPath(new URL("../node_modules/pyodide", import.meta.url)) });
  const heap = Buffer.from(pyodide._module.HEAPU8.buffer);
  const at = heap.indexOf(COOKIE);
  assert.ok(at > 0);
  const fact = (/** @type {number} */ index) => Number(heap.readBigUInt64LE(at + index * FACT_BYTES));
  const [size, ...offsets] = [0, 1, 2, 3, 4].map((each) => fact(FACTS_BEFORE + each));
  assert.ok(Number(size) > CURRENT_FRAME);
  assert.deepEqual(offsets, [0, 4, 8, CURRENT_FRAME]); // of prev, next, interp, current_frame
});

test("a suspended thread shows no frame, and has it again when it goes on", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const words = () => new Uint32Array(memory.buffer);
  const threadState = 1024;
  const at = (threadState + CURRENT_FRAME) / 4;
  words()[at] = 4711;
  let restored = 0;
  const ours = hideSuspendedFrames(
    { saveState: () => ({ threadState }), restoreState: () => (restored += 1) },
    () => memory,
  );
  const state = ours.saveState();
  assert.equal(words()[at], 0);
  memory.grow(1); // what was looked at before is detached by that
  ours.restoreState(state);
  assert.deepEqual([words()[at], restored], [4711, 1]);
});

test("what cannot be suspended is left as it is", () => {
  const error = Symbol("error");
  const ours = hideSuspendedFrames({ saveState: () => error, restoreState() {} }, () => assert.fail("not looked at"));
  assert.equal(ours.saveState(), error);
});
