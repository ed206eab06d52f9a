import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";

import { Fingerprints } from "../src/fingerprints.mjs";

const MODULE = new URL("../native/fingerprint.wasm", import.meta.url);
const [ELEMENTS, DATA] = [9, 11];
const KIND = { int: 4, list: 9 };
const STATUS = { complete: 1, paused: 2, large: 3, foreign: 4, truncated: 0x100 };
const SECOND = 1000;

/** A few objects as CPython lays them out, in a memory of our own. */
class Heap {
  memory = new WebAssembly.Memory({ initial: 2000 });
  #words = new Uint32Array(this.memory.buffer);
  #end = 1024;

  malloc = (/** @type {number} */ bytes) => {
    const address = this.#end;
    this.#end += (bytes + 15) & ~15;
    return address;
  };

  /** @param {number[]} words */
  put(...words) {
    const address = this.malloc(words.length * 4);
    words.forEach((word, i) => this.set(address + i * 4, word));
    return address;
  }

  /**
   * @param {number} address
   * @param {number} word
   */
  set(address, word) {
    this.#words[address >> 2] = word;
  }

  /** @param {number} address */
  at(address) {
    return this.#words[address >> 2] ?? 0;
  }

  /** @param {number} dealloc */
  type(dealloc = 0) {
    const words = new Array(40).fill(0);
    words[6] = dealloc;
    return this.put(...words);
  }

  types = { int: this.type(), list: this.type(), strange: this.type() };

  /** @param {number} value */
  int = (value) => this.put(1, this.types.int, 1 << 3, value);

  /** @param {number[]} items */
  list = (items) => this.put(1, this.types.list, items.length, this.put(...items));

  /** @param {number[]} bytes */
  bytearray(bytes) {
    const start = this.malloc(bytes.length);
    new Uint8Array(this.memory.buffer).set(bytes, start);
    return this.put(1, 0, bytes.length, 0, start, start);
  }
}

/** The native walk on a heap, and how it is asked. */
function walker() {
  const heap = new Heap();
  const { int, list } = heap.types;
  const native = new Fingerprints({
    ...{ memory: heap.memory, malloc: heap.malloc, free: () => {} },
    __indirect_function_table: new WebAssembly.Table({ element: "anyfunc", initial: 1 }),
    ...{ PyDict_Next: () => 0, PyObject_GetBuffer: () => -1 },
    ...{ PyBuffer_Release: () => {}, PyErr_Clear: () => {} },
  }).forKernel();
  const python = heap.type(7);
  const buffers = heap.put(9);
  heap.set(python + 80, buffers);
  const kinds = heap.bytearray([KIND.int, KIND.list]);
  const facts = [16, 4, 64, 32, 2, 0, 0, 0, 0, 0, int, 0, 0, 0, 0, python, python, 0, 0];
  facts.push(heap.list([int, list]), kinds, heap.list([]), heap.bytearray([]));
  assert.equal(native.configure(heap.list(facts)), 1);
  const results = heap.list(new Array(64).fill(0));
  const first = heap.at(results + 12);
  const told = (/** @type {number} */ n) => ({
    fingerprint: `${heap.at(first + n * 16 + 4)} ${heap.at(first + n * 16)}`,
    status: heap.at(first + n * 16 + 8),
  });
  return {
    ...{ heap, native, results },
    step: (/** @type {number} */ value, ms = SECOND, walk = 1) => {
      assert.equal(native.step(walk, value, results, ms), 0);
      return told(0);
    },
    scan: (/** @type {number[]} */ values, ms = SECOND) => {
      const count = native.scan(heap.list(values), results, ms);
      return values.slice(0, count).map((_, n) => told(n));
    },
  };
}

test("the module brings neither data nor functions of its own into the interpreter", () => {
  const bytes = fs.readFileSync(MODULE);
  const sections = [];
  for (let at = 8; at < bytes.length; ) {
    sections.push(bytes[at++]);
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size |= (byte & 0x7f) << shift;
      more = (byte & 0x80) !== 0;
    }
    at += size;
  }
  assert.ok(!sections.includes(ELEMENTS) && !sections.includes(DATA), `${sections}`);
});

test("equal values have equal fingerprints, and each change gives another one", () => {
  const { heap, step } = walker();
  const items = [1, 2, 3].map(heap.int);
  const value = heap.list([...items, heap.list(items)]);
  const before = step(value);
  assert.equal(before.status, STATUS.complete);
  assert.deepEqual(step(heap.list([...[1, 2, 3].map(heap.int), heap.list(items)])), before);
  const seen = new Set([before.fingerprint]);
  for (const item of items) {
    heap.set(item + 12, 77);
    seen.add(step(value).fingerprint);
  }
  heap.set(value + 8, 2); // it has become shorter
  seen.add(step(value).fingerprint);
  assert.equal(seen.size, 5);
});

test("a hundred thousand lists in each other are walked over to the limit, without recursion", () => {
  const { heap, step } = walker();
  let value = heap.list([heap.int(1)]);
  for (let i = 0; i < 100_000; i++) value = heap.list([value]);
  assert.equal(step(value).status, STATUS.complete | STATUS.truncated);
});

test("a ring and what is in it twice are walked over once", () => {
  const { heap, step } = walker();
  let value = heap.list([0]);
  heap.set(heap.at(value + 12), value);
  assert.equal(step(value).status, STATUS.complete);
  for (let i = 0; i < 150; i++) value = heap.list([value, value]);
  assert.equal(step(value).status, STATUS.complete);
});

test("a walk is paused when its time is over, and finds the same in the end", () => {
  const { heap, step } = walker();
  const part = heap.list(Array.from({ length: 1000 }, (_, n) => heap.int(n)));
  const value = heap.list(Array.from({ length: 100 }, () => heap.list([...new Array(999).fill(heap.int(5)), part])));
  const whole = step(value);
  let slices = 1;
  let last = step(value, 0, 2);
  for (; last.status === STATUS.paused; slices++) last = step(value, 0, 2);
  assert.deepEqual(last, whole);
  assert.ok(slices > 5, `${slices}`);
});

test("a scan leaves out what is large or strange, and what it does not come to in time", () => {
  const { heap, scan } = walker();
  const large = heap.list(new Array(10_000).fill(heap.int(1)));
  const strange = heap.list([heap.put(1, heap.types.strange)]);
  const statuses = scan([heap.int(1), large, strange, heap.list([])]).map((each) => each.status);
  assert.deepEqual(statuses, [STATUS.complete, STATUS.large, STATUS.foreign, STATUS.complete]);
  assert.equal(scan([large, large, large, large], -1).length, 2);
});

test("after a fault it is not asked again", () => {
  const { heap, native, results, step } = walker();
  const value = heap.list([heap.int(1)]);
  step(value);
  assert.equal(native.step(1, 0xffff_fff0, results, SECOND), -1);
  assert.equal(native.step(1, value, results, SECOND), -1);
  assert.equal(native.scan(heap.list([value]), results, SECOND), -1);
});
