/** Where running Python comes by: its signal check, entered often enough and not too often. */
import { signalCheck } from "./wasm.mjs";

/** @typedef {import("./interpreter.mjs").Pyodide} Pyodide */

const LONG_MS = 2;
const SERVED_MS = 10; // what is served at a safe point takes a part of the time that is measured
// What has been fast for so long may go on for so many turns: a check takes 100 nanoseconds.
const FAST_TURNS = 32;
const TIERS = [
  { steadyMs: 400, turns: 256 },
  { steadyMs: 100, turns: 128 },
  { steadyMs: 20, turns: 64 },
];

/**
 * A loop turn takes 20 nanoseconds, or 20 milliseconds when it calls into C; so the number of turns
 * between two checks follows the time that they took. It grows by steps, and not far, because a long
 * wait that has begun cannot be taken back: fast code may go on to slow calls at any time.
 * (The interpreter's own number is 50. A bare loop is 18 % slower with 32, 5 % with 128, 2 % with 256.)
 */
export class SafePoints {
  #poll;
  #native;
  #last = 0;
  #fastSince = 0;
  #isServed = false;

  /**
   * @param {(now: number) => number} poll returns a signal number or 0
   * @param {() => number} [milliseconds] whole ones
   */
  constructor(poll, milliseconds = Date.now) {
    this.#poll = poll;
    const check = (/** @type {number} */ gap) => this.#check(gap);
    this.#native = signalCheck(check, { milliseconds, fastTurns: FAST_TURNS });
  }

  /** What the interpreter calls to learn of a signal. */
  get check() {
    return this.#native.check;
  }

  /** @param {Pyodide} pyodide */
  arm(pyodide) {
    const { LDSO, __Py_emscripten_signal_clock: clock } = pyodide._module;
    this.#native.connect(LDSO.loadedLibsByName.__main__.exports.memory, clock);
    // It is never read: `check` stands in its place. It switches the checks on.
    pyodide.setInterruptBuffer(/** @type {any} */ ({ 0: 0 }));
  }

  /** Other code begins to run: its first turn shall poll. */
  restart() {
    this.#last = this.#fastSince = performance.now();
    this.#native.pass(1);
  }

  /** In the middle of a store, where nothing may run: slow code comes by at its next turn. */
  comeBy() {
    if (performance.now() - this.#last > LONG_MS) this.#native.pass(1);
  }

  /** @param {number} gap milliseconds since the check before */
  #check(gap) {
    const now = performance.now();
    this.#last = now;
    if (gap > (this.#isServed ? SERVED_MS : LONG_MS)) this.#slowDown(now, gap);
    else this.#speedUp(now);
    const signal = this.#poll(now);
    this.#isServed = signal !== 0;
    return signal;
  }

  /**
   * @param {number} now
   * @param {number} gap
   */
  #slowDown(now, gap) {
    this.#fastSince = now;
    this.#native.pass(Math.max(1, Math.floor((this.#native.turns * LONG_MS) / gap)));
  }

  /** @param {number} now */
  #speedUp(now) {
    const { turns } = this.#native;
    const tier = TIERS.find(({ steadyMs }) => now - this.#fastSince >= steadyMs);
    const most = tier?.turns ?? FAST_TURNS;
    if (turns < most) this.#native.pass(turns * 2);
  }
}
