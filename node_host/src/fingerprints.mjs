/**
 * Host ⇄ interpreter: the native walk over variables (native/fingerprint.ts), in the interpreter's
 * memory. Made anew in each process: an image holds memory, and no function of ours.
 */
import fs from "node:fs";

const MODULE = new URL("../native/fingerprint.wasm", import.meta.url);
const FAILED = -1;

/** Twin of Fingerprints in monitor/watchglass_monitor/host.py. Addresses are those of id(). */
export class Fingerprints {
  #native;
  #visitor;
  #hasFailed = false;

  /** @param {Record<string, any>} interpreter the exports of the interpreter's WebAssembly */
  constructor(interpreter) {
    const { memory, __indirect_function_table: table, malloc, free } = interpreter;
    const { PyDict_Next, PyObject_GetBuffer, PyBuffer_Release, PyErr_Clear } = interpreter;
    const module = new WebAssembly.Module(fs.readFileSync(MODULE));
    const instance = new WebAssembly.Instance(module, {
      env: {
        ...{ memory, table, malloc, free, PyDict_Next, PyObject_GetBuffer, PyBuffer_Release },
        ...{ PyErr_Clear, now: () => performance.now() },
      },
    });
    this.#native = /** @type {any} */ (instance.exports);
    this.#visitor = table.grow(1);
    table.set(this.#visitor, this.#native.visit);
  }

  /** What the kernel may call; -1: it has failed, and must not be asked again. */
  forKernel() {
    const { configure, scan, step, drop } = this.#native;
    return {
      configure: (/** @type {number} */ facts) => this.#try(() => configure(facts, this.#visitor)),
      scan: (/** @type {number} */ values, /** @type {number} */ results, /** @type {number} */ ms) =>
        this.#try(() => scan(values, results, performance.now() + ms)),
      step: (
        /** @type {number} */ walk,
        /** @type {number} */ value,
        /** @type {number} */ results,
        /** @type {number} */ ms,
      ) => this.#try(() => step(walk, value, results, performance.now() + ms)),
      drop: (/** @type {number} */ walk) => this.#try(() => drop(walk)),
    };
  }

  /**
   * A trap leaves the interpreter as it is: nothing in there was written to.
   * @param {() => number | void} call
   */
  #try(call) {
    try {
      return this.#hasFailed ? FAILED : (call() ?? 0);
    } catch {
      this.#hasFailed = true;
      return FAILED;
    }
  }
}
