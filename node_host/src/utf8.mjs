/** Bytes of a stream -> text, whatever they are and wherever they are cut. */

const SURROGATE_LEAD = 0xed; // ED A0..BF xx is what Python's surrogatepass writes for a surrogate
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Keeps the start of a character until the rest of it comes. */
export class TextReader {
  #held = Buffer.alloc(0);

  /**
   * @param {Buffer} bytes not kept
   * @returns {string}
   */
  read(bytes) {
    const all = this.#held.length ? Buffer.concat([this.#held, bytes]) : bytes;
    const end = all.length - unfinished(all);
    this.#held = Buffer.from(all.subarray(end));
    return decode(all.subarray(0, end));
  }
}

/**
 * How many bytes at the end belong to a character that is not all there.
 * @param {Buffer} bytes
 */
function unfinished(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < length ? back : 0;
    }
  }
  return 0;
}

/** @param {Buffer} bytes */
function decode(bytes) {
  let text = "";
  let start = 0;
  for (let at = bytes.indexOf(SURROGATE_LEAD); at >= 0; at = bytes.indexOf(SURROGATE_LEAD, at + 1)) {
    const second = bytes[at + 1] ?? 0;
    const third = bytes[at + 2] ?? 0;
    if (second < 0xa0 || second > 0xbf || third < 0x80 || third > 0xbf) continue;
    text += decoder.decode(bytes.subarray(start, at));
    text += String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
    start = at + 3;
  }
  return text + decoder.decode(bytes.subarray(start));
}
