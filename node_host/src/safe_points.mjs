/** Where running Python comes by: its signal check, entered often enough and not too often. */
import { signalCheck } from "./wasm.mjs";

/** @typedef {import("./interpreter.mjs").Pyodide} Pyodide */

const SHORT_MS = 0.1;
const LONG_MS = 2;
const MAX_TURNS = 32;

/**
 * A loop turn takes 20 nanoseconds, or 20 milliseconds when it calls into C; so the number of turns
 * between two polls follows the time that they took. It grows by steps, and not far, because a long
 * wait that has begun cannot be taken back: fast code may go on to slow calls at any time.
 * (The interpreter's own number is 50; with 32, a bare loop is 2 % slower than with 100.)
 */
export class SafePoints {
  #poll;
  #native;
  #last = 0;
  #turns = 1;

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
    this.#last = performance.now();
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
    if (elapsed < SHORT_MS) {
      if (this.#turns < MAX_TURNS) this.#pass(this.#turns * 2);
    } else if (elapsed > LONG_MS) this.#pass(Math.max(1, Math.floor((this.#turns * LONG_MS) / elapsed)));
    return this.#poll(now);
  }

  /** @param {number} turns until the next poll */
  #pass(turns) {
    this.#turns = Math.min(MAX_TURNS, turns);
    this.#native.pass(this.#turns);
  }
}
