/**
 * Kernel ⇄ CPython: the dict watcher in WebAssembly (../native/dict_watcher.wat), started and stopped.
 * What it notes is read by monitor/watchglass_monitor/wasm_watcher.py, in memory.
 */
import { instantiate } from "./wasm.mjs";

/** @typedef {import("./interpreter.mjs").Pyodide} Pyodide */

// Places in the state.
const NAMESPACE = 0;
const WATCHER = 6;
const PROBE = 8;
const HEARD = 9;

/** The watcher of one namespace of this process. */
export class DictWatcher {
  #python;
  #native;
  #memory;
  #callback;
  #number = -1;
  #namespace = 0;
  #probe;
  #key;

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
    this.#probe = exports.PyDict_New();
    this.#key = exports.PyLong_FromLong(1);
  }

  /** The address of what it notes. */
  get state() {
    return this.#native.state.value;
  }

  /**
   * Watch, or make sure that it is still watched: the user's code may have cleared the watcher, and
   * another one may have taken its number.
   * @param {number} namespace the address of a dict
   * @returns {boolean} whether it is watched now
   */
  watch(namespace) {
    if (namespace === this.#namespace && this.#start() && this.#isCalled()) return true;
    if (namespace !== this.#namespace) this.clear();
    this.#number = this.#succeeded(this.#python.PyDict_AddWatcher(this.#callback));
    if (this.#number < 0) return false;
    this.#namespace = namespace;
    this.#write(NAMESPACE, namespace);
    this.#write(WATCHER, this.#number);
    this.#write(PROBE, this.#probe);
    this.#native.suspect();
    return this.#start() && this.#isCalled();
  }

  /** Stop, and give back what was noted. */
  clear() {
    if (this.#number >= 0) {
      for (const dict of [this.#namespace, this.#probe])
        this.#succeeded(this.#python.PyDict_Unwatch(this.#number, dict));
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
    return [this.#probe, this.#namespace].every(
      (dict) => this.#succeeded(this.#python.PyDict_Watch(this.#number, dict)) === 0,
    );
  }

  /** Whether a watcher of this number is ours: a dict of our own is stored to. */
  #isCalled() {
    this.#write(HEARD, 0);
    this.#succeeded(this.#python.PyDict_SetItem(this.#probe, this.#key, this.#key));
    this.#succeeded(this.#python.PyDict_DelItem(this.#probe, this.#key));
    return new Uint32Array(this.#memory.buffer, this.state)[HEARD] === 1;
  }

  /**
   * @param {number} place
   * @param {number} word
   */
  #write(place, word) {
    new Uint32Array(this.#memory.buffer, this.state)[place] = word;
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
