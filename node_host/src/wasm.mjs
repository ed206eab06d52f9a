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

// (module (import "host" "poll" (func (result i32)))
//   (global (export "left") (mut i32) (i32.const 1)) (global (export "period") (mut i32) (i32.const 1))
//   (func (export "check") (result i32)
//     (global.set 0 (i32.sub (global.get 0) (i32.const 1)))
//     (if (result i32) (i32.gt_s (global.get 0) (i32.const 0))
//       (then (i32.const 0))
//       (else (global.set 0 (global.get 1)) (call 0)))))
const SIGNAL_CHECK = Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f,
  0x02, 0x0d, 0x01, 0x04, ...ascii("host"), 0x04, ...ascii("poll"), 0x00, 0x00,
  0x03, 0x02, 0x01, 0x00,
  0x06, 0x0b, 0x02, 0x7f, 0x01, 0x41, 0x01, 0x0b, 0x7f, 0x01, 0x41, 0x01, 0x0b,
  0x07, 0x19, 0x03, 0x04, ...ascii("left"), 0x03, 0x00, 0x06, ...ascii("period"), 0x03, 0x01,
  0x05, ...ascii("check"), 0x00, 0x01,
  0x0a, 0x1c, 0x01, 0x1a, 0x00,
  0x23, 0x00, 0x41, 0x01, 0x6b, 0x24, 0x00,
  0x23, 0x00, 0x41, 0x00, 0x4a, 0x04, 0x7f, 0x41, 0x00, 0x05, 0x23, 0x01, 0x24, 0x00, 0x10, 0x00, 0x0b,
  0x0b,
]);

/** @param {string} text */
function ascii(text) {
  return [...text].map((letter) => letter.charCodeAt(0));
}

/**
 * A signal check that counts in WebAssembly and enters JavaScript every `period`-th time only:
 * str(), repr() and json call it for each object, and JavaScript would cost them up to 38 %.
 * @param {() => number} poll returns a signal number or 0
 */
export function signalCheck(poll) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(SIGNAL_CHECK), { host: { poll } });
  const { check, left, period } = instance.exports;
  return {
    check: /** @type {Function} */ (check),
    left: /** @type {WebAssembly.Global} */ (left),
    period: /** @type {WebAssembly.Global} */ (period),
  };
}
