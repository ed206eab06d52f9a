/**
 * Kernel ⇄ CPython: the dict watcher in WebAssembly (native/dict_watcher.wat), started and stopped.
 * What it notes is read by monitor/watchglass_monitor/wasm_watcher.py, in memory.
 */
import { instantiate } from "./wasm.mjs";

/** @typedef {import("./interpreter.mjs").Pyodide} Pyodide */

const WATCHER_AT = 24; // in the state: the watcher's number

/** The watcher of one namespace of this process. */
export class DictWatcher {
  #python;
  #native;
  #memory;
  #callback;
  #number = -1;
  #namespace = 0;

  /**
   * @param {Pyodide} pyodide
   * @param {() => void} comeBy told of stores: running code shall come by soon if it is slow
   */
  constructor(pyodide, comeBy) {
    const { exports } = pyodide._module.LDSO.loadedLibsByName.__main__;
    this.#python = exports;
    this.#memory = exports.memory;
    this.#native = instantiate("dict_watcher", { ...importsOf(exports), come_by: comeBy });
    if (!this.#native.state.value) throw new Error("there is no memory for the watcher's table");
    this.#callback = pyodide._module.addFunction(this.#native.notice);
  }

  /** The address of what it notes. */
  get state() {
    return this.#native.state.value;
  }

  /**
   * Watch, or make sure that it is still watched: the user's code may have cleared the watcher.
   * @param {number} namespace the address of a dict
   * @returns {boolean} whether it is watched now
   */
  watch(namespace) {
    if (namespace === this.#namespace && this.#start()) return true;
    if (namespace !== this.#namespace) this.clear();
    this.#number = this.#succeeded(this.#python.PyDict_AddWatcher(this.#callback));
    if (this.#number < 0) return false;
    this.#namespace = namespace;
    const state = new Uint32Array(this.#memory.buffer, this.state);
    state[0] = namespace;
    state[WATCHER_AT / 4] = this.#number;
    this.#native.suspect();
    return this.#start();
  }

  /** Stop, and give back what was noted. */
  clear() {
    if (this.#number >= 0) {
      this.#succeeded(this.#python.PyDict_Unwatch(this.#number, this.#namespace));
      this.#succeeded(this.#python.PyDict_ClearWatcher(this.#number));
    }
    this.#number = -1;
    this.#namespace = 0;
    this.#native.forget();
  }

  /** @returns {number} which of the two windows is to be read; the other one is written now */
  take() {
    return this.#native.take();
  }

  #start() {
    return this.#succeeded(this.#python.PyDict_Watch(this.#number, this.#namespace)) === 0;
  }

  /** @param {number} result of a C function that has set an exception when it is negative */
  #succeeded(result) {
    if (result < 0) this.#python.PyErr_Clear();
    return result;
  }
}

/**
 * A watcher, or none where this interpreter lacks what it needs: there are other ways to watch.
 * @param {Pyodide} pyodide
 * @param {() => void} comeBy
 */
export function dictWatcher(pyodide, comeBy) {
  try {
    return new DictWatcher(pyodide, comeBy);
  } catch {
    return undefined;
  }
}

/**
 * The interpreter's functions that the native watcher calls.
 * @param {WebAssembly.Exports} exports
 */
function importsOf(exports) {
  const names = [
    ...["memory", "calloc", "Py_IncRef", "Py_DecRef", "PyDict_Unwatch", "PyEval_GetFrame"],
    ...["PyFrame_GetBack", "PyFrame_GetCode", "PyFrame_GetLineNumber", "PyUnicode_Tailmatch"],
  ];
  return Object.fromEntries(names.map((name) => [name, /** @type {any} */ (exports[name])]));
}
