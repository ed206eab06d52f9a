import assert from "node:assert/strict";
import test from "node:test";

import { SafePoints } from "../src/safe_points.mjs";
import { growMemory, limitMemory, LOOP_CHECK, signalCheck } from "../src/wasm.mjs";

const PAGE = 65536;
// (module (memory (export "memory") 2 65536)), its maximum in three bytes as in Pyodide's module
const MODULE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x05, 0x06, 0x01, 0x01, 0x02, 0x80, 0x80, 0x04],
  ...[0x07, 0x0a, 0x01, 0x06, ...Buffer.from("memory"), 0x02, 0x00],
];

/** @param {number} pages */
function limited(pages) {
  const bytes = Uint8Array.from(MODULE);
  limitMemory(bytes, pages * PAGE);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return /** @type {WebAssembly.Memory} */ (exports.memory);
}

for (const pages of [2, 3, 127, 128, 4096, 65535])
  test(`memory ends at the limit: ${pages} pages`, () => {
    const memory = limited(pages);
    if (pages < 5000) memory.grow(pages - 2);
    else return;
    assert.equal(memory.buffer.byteLength, pages * PAGE);
    assert.throws(() => memory.grow(1), RangeError);
  });

for (const pages of [1, 65537])
  test(`a limit that the module cannot have is refused: ${pages} pages`, () => {
    assert.throws(() => limited(pages), /memory_bytes must be between 131072 and 4294967296/);
  });

test("a module without a memory of its own is refused", () => {
  assert.throws(() => limitMemory(Uint8Array.from(MODULE.slice(0, 8)), PAGE), /no memory section/);
});

test("memory grows to what an image was taken of, and never shrinks", () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 10 });
  for (const [bytes = 0, pages] of [[0, 2], [2 * PAGE, 2], [2 * PAGE + 1, 3], [5 * PAGE, 5], [PAGE, 5]]) {
    growMemory(memory, bytes);
    assert.equal(memory.buffer.byteLength, (pages ?? 0) * PAGE);
  }
  assert.throws(() => growMemory(memory, 11 * PAGE), RangeError);
});

const CLOCK = 64;

/** Time that the test moves. */
class Hand {
  ms = 1000;
  read = () => this.ms;
}

/** @param {() => number} poll */
function connected(poll) {
  const time = new Hand();
  const { check, connect } = signalCheck(poll, { milliseconds: time.read, fastTurns: 32 });
  assert.equal(check(), 0); // before there is a memory
  const memory = new WebAssembly.Memory({ initial: 1 });
  connect(memory, CLOCK);
  return { check, time, clock: new Int32Array(memory.buffer, CLOCK, 1) };
}

test("checks at the end of the interpreter's count weigh more than those in C functions", () => {
  let polls = 0;
  const { check, time, clock } = connected(() => (polls++, time.ms++, 0));
  check(); // the first one polls
  for (let i = 0; i < 2; i++) {
    clock[0] = 50;
    check();
  }
  assert.equal(polls, 3);
  clock[0] = 7;
  for (let i = 0; i < 2 * LOOP_CHECK; i++) check();
  assert.equal(polls, 5);
});

test("within one millisecond is polled once", () => {
  let polls = 0;
  const { check, time, clock } = connected(() => (polls++, 0));
  for (let ms = 0; ms < 5; ms++, time.ms++)
    for (let i = 0; i < 1000; i++) {
      clock[0] = 50;
      check();
    }
  assert.equal(polls, 5);
});

test("the signal that a poll returns reaches the interpreter, and each check polls until it is gone", () => {
  let polls = 0;
  let signal = 62;
  const { check, clock } = connected(() => (polls++, signal));
  assert.equal(check(), 62);
  for (let i = 0; i < 10; i++) {
    clock[0] = 50;
    assert.equal(check(), 62);
  }
  assert.equal(polls, 11);
  signal = 0;
  for (let i = 0; i < 10; i++) {
    clock[0] = 50;
    check();
  }
  assert.equal(polls, 12);
});

/** Pyodide's part of the game: a clock that counts loop turns down to a check. */
class Interpreter {
  #memory = new WebAssembly.Memory({ initial: 1 });
  HEAP32 = new Int32Array(this.#memory.buffer);
  __Py_emscripten_signal_clock = CLOCK;
  LDSO = { loadedLibsByName: { __main__: { exports: { memory: this.#memory } } } };
  checks = 0;

  /** @param {SafePoints} safePoints */
  constructor(safePoints) {
    this.safePoints = safePoints;
    this.HEAP32[CLOCK >> 2] = 50;
    safePoints.arm(/** @type {any} */ ({ _module: this, setInterruptBuffer() {} }));
  }

  turn() {
    const at = CLOCK >> 2;
    const left = (this.HEAP32[at] ?? 0) - 1;
    this.HEAP32[at] = left > 0 ? left : 50;
    if (left > 0) return;
    this.checks++;
    this.safePoints.check();
  }

  /** @param {number} turns */
  checksIn(turns) {
    this.checks = 0;
    for (let i = 0; i < turns; i++) this.turn();
    return this.checks;
  }
}

/** @param {number} ms */
function spin(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test("fast code is left alone for 32 turns at first, and for up to 256 when it stays so", () => {
  const time = new Hand();
  const interpreter = new Interpreter(new SafePoints(() => 0, time.read));
  interpreter.safePoints.restart();
  const first = interpreter.checksIn(10_000);
  assert.ok(first >= 10_000 / 36 && first <= 10_000 / 32 + 8, `${first} checks`);
  for (let i = 0; i < 12; i++, time.ms++) {
    spin(40);
    interpreter.checksIn(300);
  }
  const later = interpreter.checksIn(10_000);
  assert.ok(later >= 10_000 / 260 && later <= 10_000 / 256 + 8, `${later} checks`);
});

test("every place of a loop is polled at while something is due, whatever its length is", () => {
  for (const length of [16, 29, 30, 31, 32, 64, 50]) {
    const places = new Set();
    let place = 0;
    const interpreter = new Interpreter(new SafePoints(() => (places.add(place % length), 62)));
    for (; place < 200_000; place++) interpreter.turn();
    assert.equal(places.size, length);
  }
});

test("slow turns after fast ones are checked before long", () => {
  const time = new Hand();
  const interpreter = new Interpreter(new SafePoints(() => 0, time.read));
  interpreter.checksIn(100_000);
  interpreter.checks = 0;
  let turns = 0;
  for (; interpreter.checks === 0; turns++, time.ms += 20) interpreter.turn();
  assert.ok(turns <= 32 + 4, `${turns} turns`);
  interpreter.checks = 0;
  for (let i = 0; i < 10; i++, time.ms += 20) interpreter.turn();
  assert.ok(interpreter.checks >= 8, `${interpreter.checks} checks in 10 slow turns`);
});

test("a store after a while is followed by a poll at the next turn", () => {
  let polls = 0;
  const interpreter = new Interpreter(new SafePoints(() => (polls++, 0)));
  for (let i = 0; i < 100_000; i++) interpreter.turn();
  for (polls = 0; polls === 0; ) interpreter.turn();
  spin(3);
  interpreter.safePoints.comeBy();
  interpreter.turn();
  assert.equal(polls, 2);
});

test("code with slow turns is polled at nearly every turn", () => {
  let polls = 0;
  const interpreter = new Interpreter(new SafePoints(() => (polls++, 0)));
  for (let i = 0; i < 10_000; i++) interpreter.turn();
  for (let i = 0; i < 100; i++) {
    interpreter.turn();
    spin(3);
    if (i === 80) polls = 0;
  }
  assert.ok(polls >= 18, `${polls} polls in 19 turns of 3 ms`);
});
