/**
 * Bytes of WebAssembly: the memory limits of Pyodide's module, and the signal check that it calls.
 */

const PAGE_BYTES = 65536;
const MEMORY_SECTION = 5;

/**
 * Write another maximum into the module's own memory section, where a growing heap then ends in
 * MemoryError. The number keeps the width it has, so that nothing behind it moves.
 * @param {Uint8Array} bytes changed in place
 * @param {number} memoryBytes
 */
export function limitMemory(bytes, memoryBytes) {
  const section = memorySection(bytes);
  const flags = bytes[section + 1] ?? 0;
  if (!(flags & 1)) throw new Error("the WebAssembly memory has no maximum to change");
  const minimum = readLeb(bytes, section + 2);
  const maximum = readLeb(bytes, minimum.end);
  const pages = Math.floor(memoryBytes / PAGE_BYTES);
  if (pages < minimum.value || pages > maximum.value)
    throw new Error(
      `memory_bytes must be between ${minimum.value * PAGE_BYTES} and ${maximum.value * PAGE_BYTES}, not ${memoryBytes}`,
    );
  writeLeb(bytes, minimum.end, maximum.end, pages);
}

/** @param {Uint8Array} bytes */
function memorySection(bytes) {
  let at = 8; // behind the magic number and the version
  while (at < bytes.length) {
    const size = readLeb(bytes, at + 1);
    if (bytes[at] === MEMORY_SECTION) return size.end;
    at = size.end + size.value;
  }
  throw new Error("the WebAssembly module has no memory section");
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function readLeb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (!(byte & 0x80)) return { value: value >>> 0, end: at };
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} end
 * @param {number} value
 */
function writeLeb(bytes, at, end, value) {
  for (; at < end; at++, value >>>= 7) bytes[at] = (value & 0x7f) | (at < end - 1 ? 0x80 : 0);
}

/** What it takes to enter JavaScript: one of the interpreter's own checks, each 50th loop turn… */
export const LOOP_CHECK = 32;
/** …or so many inside of C functions: str() of each item of a list comes by here. */
const CALL_CHECK = 1;
const CLOCK_START = 50; // what the interpreter's clock is set to just before its own check

// The interpreter imports `check` before its memory is there; so `check` calls what is in a table.
// (module (import "host" "table" (table 1 funcref))
//   (func (export "none") (result i32) (i32.const 0))
//   (func (export "check") (result i32) (call_indirect (result i32) (i32.const 0))))
const ENTRANCE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...section(1, [0x01, 0x60, 0x00, 0x01, 0x7f]),
  ...section(2, [0x01, ...name("host"), ...name("table"), 0x01, 0x70, 0x00, 0x01]),
  ...section(3, [0x02, 0x00, 0x00]),
  ...section(7, [0x02, ...name("none"), 0x00, 0x00, ...name("check"), 0x00, 0x01]),
  ...section(10, [
    0x02,
    ...body([0x41, 0x00]),
    ...body([0x41, 0x00, 0x11, 0x00, 0x00]),
  ]),
]);

// (module (import "host" "poll" (func (result i32))) (import "host" "memory" (memory 0))
//   (import "host" "clock" (global i32)) (global (mut i32) (i32.const 1))
//   (func (export "count") (result i32)
//     (global.set 1 (i32.sub (global.get 1)
//       (if (result i32) (i32.eq (i32.load (global.get 0)) (i32.const 50))
//         (then (i32.const 32)) (else (i32.const 1)))))
//     (if (result i32) (i32.gt_s (global.get 1) (i32.const 0)) (then (i32.const 0))
//       (else (global.set 1 (i32.const 32)) (call 0)))))
const COUNTER = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...section(1, [0x01, 0x60, 0x00, 0x01, 0x7f]),
  ...section(2, [
    0x03,
    ...[...name("host"), ...name("poll"), 0x00, 0x00],
    ...[...name("host"), ...name("memory"), 0x02, 0x00, 0x00],
    ...[...name("host"), ...name("clock"), 0x03, 0x7f, 0x00],
  ]),
  ...section(3, [0x01, 0x00]),
  ...section(6, [0x01, 0x7f, 0x01, 0x41, 0x01, 0x0b]),
  ...section(7, [0x01, ...name("count"), 0x00, 0x01]),
  ...section(10, [
    0x01,
    ...body([
      ...[0x23, 0x01, 0x23, 0x00, 0x28, 0x02, 0x00, 0x41, CLOCK_START, 0x46],
      ...[0x04, 0x7f, 0x41, LOOP_CHECK, 0x05, 0x41, CALL_CHECK, 0x0b, 0x6b, 0x24, 0x01],
      ...[0x23, 0x01, 0x41, 0x00, 0x4a, 0x04, 0x7f, 0x41, 0x00, 0x05],
      ...[0x41, LOOP_CHECK, 0x24, 0x01, 0x10, 0x00, 0x0b],
    ]),
  ]),
]);

/** @param {number[]} code */
function body(code) {
  return [code.length + 2, 0x00, ...code, 0x0b];
}

/**
 * @param {number} id
 * @param {number[]} content
 */
function section(id, content) {
  return [id, content.length, ...content];
}

/** @param {string} text */
function name(text) {
  return [text.length, ...Buffer.from(text)];
}

/**
 * A signal check that counts in WebAssembly and enters JavaScript once in a while: str(), repr()
 * and json check for each object, and JavaScript would cost them up to 38 %.
 * @param {() => number} poll returns a signal number or 0
 */
export function signalCheck(poll) {
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  const { none, check } = instantiate(ENTRANCE, { table });
  table.set(0, none);
  return {
    check: /** @type {Function} */ (check),
    /**
     * Begin to count, in the interpreter's memory.
     * @param {WebAssembly.Memory} memory
     * @param {number} clock the address of the interpreter's own count
     */
    connect(memory, clock) {
      const at = new WebAssembly.Global({ value: "i32" }, clock);
      table.set(0, instantiate(COUNTER, { poll, memory, clock: at }).count);
    },
  };
}

/**
 * @param {BufferSource} bytes
 * @param {WebAssembly.ModuleImports} host
 * @returns {any}
 */
function instantiate(bytes, host) {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { host }).exports;
}
