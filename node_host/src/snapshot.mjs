/**
 * The image file: the memory of a booted interpreter, and the JavaScript around it, compiled.
 *
 * Five u32 (magic number, bytes of Pyodide's header, number of runs, bytes of code, bytes of memory),
 * the runs as pairs of u32 (address, length), the header, the runs' bytes, the code. A run is made of
 * pages that hold something: a page of zeros is not kept, and needs no memory where it is never
 * written.
 */
import fs from "node:fs";

const MAGIC = 0x324d4957; // "WIM2"
const FIXED_WORDS = 5;
const PAGE_BYTES = 4096;
const WORDS_PER_PAGE = PAGE_BYTES / 8;

/**
 * @param {{ header: Uint8Array, memory: Uint8Array }} snapshot
 * @param {Uint8Array} code
 * @returns {Buffer}
 */
export function packImage({ header, memory }, code) {
  const found = [...runs(memory)];
  const sizes = found.flatMap(([start, end]) => [start, end - start]);
  const fixed = [MAGIC, header.length, found.length, code.length, memory.length];
  const words = Uint32Array.of(...fixed, ...sizes);
  const parts = found.map(([start, end]) => memory.subarray(start, end));
  return Buffer.concat([Buffer.from(words.buffer), header, ...parts, code]);
}

/** An image file that is open; restore() closes it. */
export class Image {
  #fd;
  #sizes;
  #at = 0;

  /** @param {string} path */
  constructor(path) {
    this.#fd = fs.openSync(path, "r");
    const fixed = this.#words(FIXED_WORDS);
    const [magic, headerBytes = 0, count = 0, codeBytes = 0, memoryBytes = 0] = fixed;
    this.memoryBytes = memoryBytes;
    if (magic !== MAGIC) throw new Error(`${path} is no image of this version: delete it`);
    this.#sizes = this.#words(2 * count);
    this.header = this.#read(new Uint8Array(headerBytes));
    const pages = this.#at;
    for (let i = 1; i < this.#sizes.length; i += 2) this.#at += this.#sizes[i] ?? 0;
    this.code = this.#read(Buffer.allocUnsafeSlow(codeBytes));
    this.#at = pages;
  }

  /**
   * Read what the memory held, straight into fresh memory.
   * @param {Int8Array} memory
   */
  restore(memory) {
    for (let i = 0; i < this.#sizes.length; i += 2) {
      const [start = 0, length = 0] = this.#sizes.subarray(i, i + 2);
      this.#read(memory.subarray(start, start + length));
    }
    fs.closeSync(this.#fd);
  }

  /** @param {number} count */
  #words(count) {
    const words = new Uint32Array(count);
    this.#read(new Uint8Array(words.buffer));
    return words;
  }

  /**
   * @template {Uint8Array | Int8Array} T
   * @param {T} target
   * @returns {T}
   */
  #read(target) {
    for (let done = 0; done < target.length; ) {
      const count = fs.readSync(this.#fd, target, done, target.length - done, this.#at);
      if (count === 0) throw new Error("the image file is cut off: delete it");
      this.#at += count;
      done += count;
    }
    return target;
  }
}

/**
 * Where something is: [start, end) of whole pages, the last one as long as it is.
 * @param {Uint8Array} memory
 * @returns {Generator<[number, number]>}
 */
function* runs(memory) {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.byteLength >> 3);
  let start = -1;
  for (let word = 0; word < words.length; word += WORDS_PER_PAGE) {
    const empty = isEmpty(words, word);
    if (!empty && start < 0) start = word * 8;
    if (empty && start >= 0) {
      yield [start, word * 8];
      start = -1;
    }
  }
  const rest = start >= 0 ? start : words.length * 8;
  if (rest < memory.length) yield [rest, memory.length];
}

/**
 * @param {BigUint64Array} words
 * @param {number} from
 */
function isEmpty(words, from) {
  const end = Math.min(from + WORDS_PER_PAGE, words.length);
  for (let word = from; word < end; word++) if (words[word] !== 0n) return false;
  return true;
}
