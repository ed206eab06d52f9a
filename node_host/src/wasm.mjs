/**
 * WebAssembly: the memory limits of Pyodide's module, our own modules in native/, and the signal
 * check that is made of two of these. `make native` builds them.
 */
import fs from "node:fs";

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

/**
 * Make a memory as large as the one that an image was taken of: what lies in it knows how far it
 * reaches, and would use what is not there.
 * @param {WebAssembly.Memory} memory
 * @param {number} bytes
 */
export function growMemory(memory, bytes) {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  if (missing > 0) memory.grow(missing);
}

/** Checks inside of C functions until JavaScript is entered; a check at a loop's end counts as all. */
export const LOOP_CHECK = 128;

/**
 * A signal check that counts in WebAssembly and enters JavaScript once in a while: str(), repr()
 * and json check for each object, and JavaScript would cost them up to 38 %.
 * @param {(gap: number) => number} poll takes the milliseconds since the check before, returns a
 *   signal number or 0
 * @param {object} pace
 * @param {() => number} pace.milliseconds the time, in whole ones
 * @param {number} pace.fastTurns so many loop turns may pass between two checks of fast code
 */
export function signalCheck(poll, { milliseconds, fastTurns }) {
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  const { none, check } = instantiate("signal_entrance", { table });
  table.set(0, none);
  /** @type {{ pass: (turns: number) => void, turns: WebAssembly.Global } | undefined} */
  let counter;
  return {
    check: /** @type {Function} */ (check),
    /**
     * Begin to count, in the interpreter's memory.
     * @param {WebAssembly.Memory} memory
     * @param {number} address of the interpreter's own count
     */
    connect(memory, address) {
      const { count, ...rest } = instantiate("signal_counter", {
        ...{ poll, memory, now: milliseconds, clock: constant(address) },
        ...{ loop_check: constant(LOOP_CHECK), fast_turns: constant(fastTurns) },
      });
      table.set(0, count);
      counter = rest;
    },
    /** @param {number} turns of a loop until the next check, which polls */
    pass: (turns) => counter?.pass(turns),
    /** How many turns there are between two checks. */
    get turns() {
      return /** @type {number} */ (counter?.turns.value ?? 1);
    },
  };
}

/** @param {number} value */
function constant(value) {
  return new WebAssembly.Global({ value: "i32" }, value);
}

/**
 * One of the modules in native/.
 * @param {string} name
 * @param {WebAssembly.ModuleImports} host
 * @returns {any}
 */
export function instantiate(name, host) {
  const bytes = fs.readFileSync(new URL(`../native/${name}.wasm`, import.meta.url));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { host }).exports;
}
