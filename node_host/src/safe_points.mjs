/** Where running Python comes by: its signal check, entered often enough and not too often. */
import { signalCheck } from "./wasm.mjs";

/** @typedef {import("./interpreter.mjs").Pyodide} Pyodide */

const SHORT_MS = 0.1;
const LONG_MS = 2;
const SERVED_MS = 10; // what is served at a safe point takes a part of the time that is measured
const FAST_TURNS = 32;
// What has been fast for so long may go on so many turns: a check takes 60 nanoseconds.
const STEADY_MS = 20;
const MAX_TURNS = 64;

/**
 * A loop turn takes 20 nanoseconds, or 20 milliseconds when it calls into C; so the number of turns
 * between two polls follows the time that they took. It grows by steps, and not far, because a long
 * wait that has begun cannot be taken back: fast code may go on to slow calls at any time.
 * (The interpreter's own number is 50; with 64, a bare loop is 4 % slower, with 32 it is 8 %.)
 */
export class SafePoints {
  #poll;
  #native;
  #last = 0;
  #fastSince = 0;
  #turns = 1;
  #isServed = false;

  /** @param {(now: number) => number} poll returns a signal number or 0 */
  constructor(poll) {
    this.#poll = poll;
    this.#native = signalCheck(() => this.#check());
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
    this.#pass(1);
  }

  /** In the middle of a store, where nothing may run: slow code comes by at its next turn. */
  comeBy() {
    if (performance.now() - this.#last > LONG_MS) this.#pass(1);
  }

  #check() {
    const now = performance.now();
    const elapsed = now - this.#last;
    this.#last = now;
    if (elapsed > (this.#isServed ? SERVED_MS : LONG_MS)) this.#slowDown(now, elapsed);
    else if (elapsed < SHORT_MS && this.#turns < MAX_TURNS) this.#speedUp(now);
    const signal = this.#poll(now);
    this.#isServed = signal !== 0;
    return signal;
  }

  /**
   * @param {number} now
   * @param {number} elapsed
   */
  #slowDown(now, elapsed) {
    this.#fastSince = now;
    this.#pass(Math.max(1, Math.floor((this.#turns * LONG_MS) / elapsed)));
  }

  /** @param {number} now */
  #speedUp(now) {
    const most = now - this.#fastSince < STEADY_MS ? FAST_TURNS : MAX_TURNS;
    if (this.#turns < most) this.#pass(Math.min(most, this.#turns * 2));
  }

  /** @param {number} turns until the next poll */
  #pass(turns) {
    this.#turns = turns;
    this.#native.pass(turns);
  }
}
