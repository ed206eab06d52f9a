/** Where running Python comes by: its signal check, entered often enough and not too often. */
import { LOOP_CHECK, signalCheck } from "./wasm.mjs";

/** @typedef {import("./interpreter.mjs").Pyodide} Pyodide */

const SHORT_MS = 0.1;
const LONG_MS = 2;
const MAX_TURNS = 100;
const TURNS_PER_CHECK = 50; // the interpreter checks for signals at every 50th loop turn or call

/**
 * A loop turn takes 20 nanoseconds, or 20 milliseconds when it calls into C; so the number of turns
 * between two polls follows the time that they took. It grows by steps, because a long wait that
 * has begun cannot be taken back.
 */
export class SafePoints {
  #poll;
  #native;
  #last = 0;
  #turns = 1;
  /** @type {Pyodide["_module"] | undefined} */
  #module;
  /** @type {WebAssembly.Global | undefined} */
  #left;

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
    this.#module = pyodide._module;
    const { memory } = this.#module.LDSO.loadedLibsByName.__main__.exports;
    this.#left = this.#native.connect(memory, this.#module.__Py_emscripten_signal_clock);
    // It is never read: `check` stands in its place. It switches the checks on.
    pyodide.setInterruptBuffer(/** @type {any} */ ({ 0: 0 }));
  }

  /** Other code begins to run: its first turn shall poll. */
  restart() {
    this.#last = performance.now();
    this.#pass(1);
  }

  #check() {
    const now = performance.now();
    const elapsed = now - this.#last;
    this.#last = now;
    if (elapsed < SHORT_MS) this.#pass(Math.min(MAX_TURNS, this.#turns * 2));
    else if (elapsed > LONG_MS) this.#pass(Math.max(1, Math.floor((this.#turns * LONG_MS) / elapsed)));
    else this.#pass(this.#turns);
    return this.#poll(now);
  }

  /** @param {number} turns until the next poll */
  #pass(turns) {
    if (!this.#module || !this.#left) return;
    this.#turns = turns;
    this.#left.value = Math.ceil(turns / TURNS_PER_CHECK) * LOOP_CHECK;
    if (turns < TURNS_PER_CHECK)
      this.#module.HEAP32[this.#module.__Py_emscripten_signal_clock >> 2] = turns;
  }
}
