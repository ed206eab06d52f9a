/** The image of a booted interpreter: trimmed when it is written, restored page by page. */

const PAGE_BYTES = 4096;
const WORDS_PER_PAGE = PAGE_BYTES / 8;
const ALIGNMENT_BYTES = 65536;

/**
 * Without the zeros at the end, which fresh memory holds anyway.
 * @param {Uint8Array} snapshot
 */
export function trimmed(snapshot) {
  let end = snapshot.length;
  while (end > 0 && snapshot[end - 1] === 0) end--;
  end = Math.ceil(end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  return snapshot.subarray(0, Math.min(end, snapshot.length));
}

/**
 * Copy the pages that hold something: a page of zeros that is never written needs no memory.
 * @param {(source: ArrayLike<number>, offset?: number) => void} copy writes into the target
 * @param {Uint8Array} source
 */
export function copyPages(copy, source) {
  const words = new BigUint64Array(source.buffer, source.byteOffset, source.byteLength >> 3);
  let start = -1;
  for (let word = 0; word < words.length; word += WORDS_PER_PAGE) {
    const empty = isEmpty(words, word);
    if (!empty && start < 0) start = word * 8;
    if (empty && start >= 0) {
      copy(source.subarray(start, word * 8), start);
      start = -1;
    }
  }
  const rest = start >= 0 ? start : words.length * 8;
  if (rest < source.length) copy(source.subarray(rest), rest);
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
