import assert from "node:assert/strict";
import test from "node:test";

import { DictWatcher } from "../src/dict_watcher.mjs";

const STATE = 65_536;
const NAMESPACE = 64;
const STR = 128;
const OTHER_TYPE = 132;
const USER_FILE = 136;
const FILENAME_OFFSET = 12;
const FIRST_KEY = 512;
const FIRST_FRAME = 300_000;
const LEAD = 64;
const STORM = 1000;
const ADDED = 0;
const DELETED = 2;
const CLONED = 3;
const CLEARED = 4;
const PROBE = 256;
// File names: those below are a library's.
const LIBRARY = 1;
const EARLIER = 1000;
const RUNNING = 1001;
const LATER = 1002;
const WINDOW = { bytes: 65_552, keys: 16, counts: 16_400, lines: 32_784 };

/** CPython by hand: what it would be asked, and a memory for the table. */
class Interpreter {
  memory = new WebAssembly.Memory({ initial: 8 });
  words = new Uint32Array(this.memory.buffer);
  /** @type {Map<number, number>} */
  references = new Map();
  /** @type {((event: number, dict: number, key: number, value: number) => number) | undefined} */
  callback;
  /** @type {(Set<number> | undefined)[]} the dicts that each watcher watches */
  watchers = [undefined, undefined];
  ours = -1;
  /** @type {{ line: number, file: number }[]} the running code, the innermost first */
  frames = [];
  errors = 0;
  comings = 0;

  constructor() {
    const module = {
      LDSO: { loadedLibsByName: { __main__: { exports: this.exports() } } },
      addFunction: (/** @type {any} */ callback) => ((this.callback = callback), 1),
    };
    this.watcher = new DictWatcher(/** @type {any} */ ({ _module: module }), () => this.comings++);
    this.words.set([0, STR, USER_FILE, FILENAME_OFFSET, LEAD, STORM], STATE / 4);
    this.words[STATE / 4 + 10] = RUNNING;
  }

  exports() {
    const count = (/** @type {number} */ by) => (/** @type {number} */ object) => {
      this.references.set(object, (this.references.get(object) ?? 0) + by);
    };
    const failed = () => (this.errors++, -1);
    const known = (/** @type {number} */ id) => this.watchers[id] !== undefined;
    return {
      memory: this.memory,
      calloc: () => STATE,
      Py_IncRef: count(1),
      Py_DecRef: count(-1),
      PyErr_Clear: () => this.errors--,
      PyDict_AddWatcher: () =>
        this.watchers.length < 8 ? (this.ours = this.watchers.push(new Set()) - 1) : failed(),
      PyDict_ClearWatcher: (/** @type {number} */ id) =>
        known(id) ? ((this.watchers[id] = undefined), 0) : failed(),
      PyDict_Watch: (/** @type {number} */ id, /** @type {number} */ dict) =>
        known(id) ? (this.watchers[id]?.add(dict), 0) : failed(),
      PyDict_Unwatch: (/** @type {number} */ id, /** @type {number} */ dict) =>
        known(id) ? (this.watchers[id]?.delete(dict), 0) : failed(),
      PyDict_New: () => PROBE,
      PyLong_FromLong: () => this.key(0, OTHER_TYPE),
      PyDict_SetItem: (/** @type {number} */ dict, /** @type {number} */ key) => (this.store(key, ADDED, dict), 0),
      PyDict_DelItem: (/** @type {number} */ dict, /** @type {number} */ key) => (this.store(key, DELETED, dict), 0),
      PyEval_GetFrame: () => (this.frames.length ? FIRST_FRAME : 0),
      PyFrame_GetBack: (/** @type {number} */ frame) => this.#referred(frame + 4, FIRST_FRAME + 4 * this.frames.length),
      PyFrame_GetCode: (/** @type {number} */ frame) => {
        this.words[(1024 + FILENAME_OFFSET) / 4] = this.#frame(frame).file;
        return this.#referred(1024, Infinity);
      },
      PyFrame_GetLineNumber: (/** @type {number} */ frame) => this.#frame(frame).line,
      PyUnicode_Tailmatch: (/** @type {number} */ name, /** @type {number} */ start) => {
        assert.equal(start, USER_FILE);
        return Number(name >= EARLIER);
      },
    };
  }

  /**
   * @param {number} object
   * @param {number} end
   */
  #referred(object, end) {
    if (object >= end) return 0;
    this.references.set(object, (this.references.get(object) ?? 0) + 1);
    return object;
  }

  /** @param {number} frame */
  #frame(frame) {
    const found = this.frames[(frame - FIRST_FRAME) / 4];
    assert.ok(found);
    return found;
  }

  /**
   * A key, which is an object of a type.
   * @param {number} index
   */
  key(index, type = STR) {
    const key = FIRST_KEY + 8 * index;
    this.words[key / 4 + 1] = type;
    return key;
  }

  /** @param {number} key */
  store(key, event = ADDED, dict = NAMESPACE) {
    if (this.watchers[this.ours]?.has(dict)) assert.equal(this.callback?.(event, dict, key, 0), 0);
  }

  take() {
    const at = (STATE + 48 + WINDOW.bytes * this.watcher.take()) / 4;
    const [events, names = 0, flags] = this.words.subarray(at, at + 3);
    const column = (/** @type {number} */ offset) => [
      ...this.words.subarray(at + offset / 4, at + offset / 4 + names),
    ];
    const keys = column(WINDOW.keys).map((key) => (key - FIRST_KEY) / 8);
    return { events, flags, keys, counts: column(WINDOW.counts), lines: column(WINDOW.lines) };
  }
}

function watched() {
  const interpreter = new Interpreter();
  assert.ok(interpreter.watcher.watch(NAMESPACE));
  assert.equal(interpreter.take().flags, 1); // what was stored before is not known
  return interpreter;
}

test("names are noted once, in the order of their first store, with a count", () => {
  const interpreter = watched();
  for (const index of [3, 1, 3, 3, 2]) interpreter.store(interpreter.key(index));
  interpreter.store(interpreter.key(1), DELETED);
  assert.deepEqual(interpreter.take(), { events: 6, flags: 0, keys: [3, 1, 2], counts: [3, 2, 1], lines: [0, 0, 0] });
  assert.deepEqual(interpreter.take(), { events: 0, flags: 0, keys: [], counts: [], lines: [] });
});

test("any number of names is told apart, and each is held until it has been read", () => {
  const interpreter = watched();
  interpreter.words[STATE / 4 + 5] = 1e6;
  const indexes = Array.from({ length: 4096 }, (_, index) => index);
  for (const index of [...indexes, ...indexes]) interpreter.store(interpreter.key(index));
  const { keys, counts, flags } = interpreter.take();
  assert.deepEqual([keys, flags], [indexes, 0]);
  assert.ok(counts.every((count) => count === 2));
  assert.equal(interpreter.references.get(interpreter.key(7)), 1);
  interpreter.take();
  interpreter.take();
  assert.ok([...interpreter.references.values()].every((held) => held === 0));
});

test("with one more name than there is room for, all are suspected", () => {
  const interpreter = watched();
  interpreter.words[STATE / 4 + 5] = 1e6;
  for (let index = 0; index < 4097; index++) interpreter.store(interpreter.key(index));
  const { keys, flags } = interpreter.take();
  assert.deepEqual([keys.length, flags], [4096, 1]);
});

test("a storm ends the watch, and is told; the next arming goes on", () => {
  const interpreter = watched();
  for (let i = 0; i < 3 * STORM; i++) interpreter.store(interpreter.key(1));
  const { events, flags, counts } = interpreter.take();
  assert.deepEqual([events, flags, counts], [STORM, 3, [STORM - 1]]);
  interpreter.store(interpreter.key(2));
  assert.deepEqual(interpreter.take().keys, []);
  assert.ok(interpreter.watcher.watch(NAMESPACE));
  interpreter.store(interpreter.key(2));
  assert.deepEqual(interpreter.take().keys, [2]);
});

for (const [what, event] of Object.entries({ cleared: CLEARED, "filled at one go": CLONED }))
  test(`a dict that is ${what} makes all names suspect, and is watched on`, () => {
    const interpreter = watched();
    interpreter.store(0, event);
    interpreter.store(interpreter.key(4));
    const { flags, keys } = interpreter.take();
    assert.deepEqual([flags, keys], [1, [4]]);
  });

test("a key that is no exact str is not held: it may only equal one", () => {
  const interpreter = watched();
  interpreter.store(interpreter.key(5, OTHER_TYPE));
  const { flags, keys } = interpreter.take();
  assert.deepEqual([flags, keys, interpreter.references.size], [1, [], 0]);
});

test("another dict under the same watcher is nobody's", () => {
  const interpreter = watched();
  interpreter.callback?.(ADDED, NAMESPACE + 8, interpreter.key(1), 0);
  assert.equal(interpreter.take().events, 0);
});

test("the line is one of the execution that runs, of the first stores only", () => {
  const interpreter = watched();
  interpreter.frames = [
    { line: 7, file: LIBRARY }, { line: 5, file: EARLIER }, { line: 42, file: RUNNING }, { line: 1, file: RUNNING },
  ];
  interpreter.store(interpreter.key(1));
  for (let i = 0; i < LEAD; i++) interpreter.store(interpreter.key(2));
  interpreter.store(interpreter.key(3));
  assert.deepEqual(interpreter.take().lines, [42, 0, 0]);
  interpreter.frames = [{ line: 7, file: LIBRARY }];
  interpreter.store(interpreter.key(3));
  assert.deepEqual(interpreter.take().lines, [0]);
  const frames = [...interpreter.references].filter(([object]) => object >= FIRST_FRAME || object === 1024);
  assert.ok(frames.every(([, held]) => held === 0), `${frames}`);
});

test("of a task that no line of the running execution called it is the task's own line", () => {
  const interpreter = watched();
  interpreter.frames = [{ line: 5, file: EARLIER }, { line: 9, file: LATER }, { line: 3, file: LATER }];
  interpreter.store(interpreter.key(1));
  assert.deepEqual(interpreter.take().lines, [9]);
});

test("the first stores and each 64th lead to a safe point", () => {
  const interpreter = watched();
  for (let i = 0; i < LEAD + 640; i++) interpreter.store(interpreter.key(1));
  assert.equal(interpreter.comings, LEAD + 10);
});

test("a watcher that the user's code cleared is taken anew, and what it missed is suspected", () => {
  const interpreter = watched();
  interpreter.store(interpreter.key(1));
  interpreter.watchers[2] = undefined;
  interpreter.store(interpreter.key(2));
  assert.ok(interpreter.watcher.watch(NAMESPACE));
  interpreter.store(interpreter.key(3));
  const { flags, keys } = interpreter.take();
  assert.deepEqual([flags, keys, interpreter.errors], [1, [1, 3], 0]);
});

test("a watcher whose number another one has taken is taken anew", () => {
  const interpreter = watched();
  const { callback } = interpreter;
  interpreter.callback = () => 0; // called instead of ours
  assert.equal(interpreter.watcher.watch(NAMESPACE), false);
  interpreter.callback = callback;
  assert.ok(interpreter.watcher.watch(NAMESPACE));
  interpreter.store(interpreter.key(1));
  const { flags, keys } = interpreter.take();
  assert.deepEqual([flags, keys], [1, [1]]);
});

test("without a free watcher there is none, and no exception stays behind", () => {
  const interpreter = new Interpreter();
  interpreter.watchers = Array.from({ length: 8 }, () => new Set());
  assert.equal(interpreter.watcher.watch(NAMESPACE), false);
  assert.equal(interpreter.errors, 0);
});

test("nothing is left of a watcher that was cleared", () => {
  const interpreter = watched();
  interpreter.store(interpreter.key(1));
  interpreter.watcher.clear();
  assert.ok(interpreter.watchers.every((dict) => dict === undefined));
  assert.equal(interpreter.references.get(interpreter.key(1)), 0);
  assert.ok(interpreter.watcher.watch(NAMESPACE + 8));
  interpreter.store(interpreter.key(6), ADDED, NAMESPACE + 8);
  assert.deepEqual(interpreter.take().keys, [6]);
});
