/**
 * Server ⇄ Node host: bytes <-> frames. No I/O here.
 *
 * Twin of server/watchglass_server/frames.py; golden bytes: tests/vectors/frames.json.
 * A frame is `u32 little-endian length | u8 kind | body`; the length counts kind and body.
 */

export const MAX_FRAME_BYTES = 16 * 2 ** 20 + 64 * 2 ** 10;
export const MAX_BLOB_CHUNK_BYTES = 2 ** 20;

const MESSAGE = 0x4a; // 'J'
const BLOB = 0x42; // 'B'
const HEADER_BYTES = 5;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** @typedef {{ type: string, [field: string]: unknown }} Message */
/** @typedef {{ kind: "message", message: Message, text: string }} MessageFrame */
/** @typedef {{ kind: "blob", requestId: number, data: Buffer }} BlobFrame */
/** @typedef {MessageFrame | BlobFrame} Frame */

/** The peer sent bytes that are no frames: end the conversation, never resynchronise. */
export class FrameError extends Error {}

/**
 * The frame of a message whose JSON text is already there.
 * @param {string} text
 * @returns {Buffer}
 */
export function encodeText(text) {
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  frame.writeUInt32LE(bytes + 1, 0);
  frame[4] = MESSAGE;
  frame.write(text, HEADER_BYTES);
  return frame;
}

/**
 * @param {Message} message
 * @returns {Buffer}
 */
export function encodeMessage(message) {
  return encodeText(JSON.stringify(message));
}

/**
 * One chunk of a blob that belongs to a request.
 * @param {number} requestId
 * @param {Uint8Array} data
 * @returns {Buffer}
 */
export function encodeBlob(requestId, data) {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4 + data.length);
  frame.writeUInt32LE(data.length + 5, 0);
  frame[4] = BLOB;
  frame.writeUInt32LE(requestId, HEADER_BYTES);
  frame.set(data, HEADER_BYTES + 4);
  return frame;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #incoming = Buffer.alloc(0);
  #filled = 0;

  /**
   * @param {Uint8Array} data
   * @returns {Frame[]}
   */
  receiveData(data) {
    this.#append(data);
    const frames = [];
    let start = 0;
    while (this.#filled - start >= 4) {
      const length = frameLength(this.#incoming.readUInt32LE(start));
      const end = start + 4 + length;
      if (end > this.#filled) break;
      frames.push(decode(this.#incoming.subarray(start + 4, end)));
      start = end;
    }
    this.#incoming.copyWithin(0, start, this.#filled);
    this.#filled -= start;
    return frames;
  }

  /** @param {Uint8Array} data */
  #append(data) {
    const needed = this.#filled + data.length;
    if (needed > this.#incoming.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#incoming.length));
      this.#incoming.copy(larger, 0, 0, this.#filled);
      this.#incoming = larger;
    }
    this.#incoming.set(data, this.#filled);
    this.#filled = needed;
  }
}

/** @param {number} length */
function frameLength(length) {
  if (length === 0) throw new FrameError("empty frame");
  if (length > MAX_FRAME_BYTES) throw new FrameError(`too long: a frame of ${length} bytes`);
  return length;
}

/**
 * @param {Buffer} content kind and body
 * @returns {Frame}
 */
function decode(content) {
  const body = content.subarray(1);
  if (content[0] === MESSAGE) return decodeMessage(body);
  if (content[0] !== BLOB) throw new FrameError(`unknown kind ${content[0]}`);
  if (body.length < 4) throw new FrameError("short chunk: its request id is cut off");
  return { kind: "blob", requestId: body.readUInt32LE(0), data: Buffer.from(body.subarray(4)) };
}

/**
 * @param {Buffer} body
 * @returns {MessageFrame}
 */
function decodeMessage(body) {
  let text, message;
  try {
    text = utf8.decode(body);
    message = JSON.parse(text);
  } catch (error) {
    throw new FrameError(`not JSON: ${error}`);
  }
  if (typeof message !== "object" || message === null || Array.isArray(message))
    throw new FrameError("not an object");
  if (typeof message.type !== "string") throw new FrameError("no type");
  return { kind: "message", message, text };
}
