/** stdout and stderr -> frames: many small writes merged, in order, each with its execution. */
import { TextReader } from "./utf8.mjs";

const COALESCE_MS = 8;
const BUFFER_BYTES = 65536;
const REPORT_MS = 1000;
const REMEMBERED_EXECUTIONS = 1000;

/** @typedef {"stdout" | "stderr"} StreamName */
/** @typedef {{ bytes: number, dropped: number, reported: number, reportedAt: number }} Count */

export class Streams {
  #send;
  #outputBytes;
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #filled = 0;
  /** @type {StreamName} */
  #name = "stdout";
  #owner = 0;
  #lastFlush = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #readers = { stdout: new TextReader(), stderr: new TextReader() };
  /** @type {Map<number, Count>} */
  #counts = new Map();
  // Executions whose count was forgotten share one: they print no more than that once again.
  /** @type {Count} */
  #late = { bytes: 0, dropped: 0, reported: 0, reportedAt: 0 };
  #lateUpTo = -1;

  /**
   * @param {(message: import("./frames.mjs").Message) => void} send
   * @param {number} outputBytes kept of one execution; the rest is counted and dropped
   */
  constructor(send, outputBytes) {
    this.#send = send;
    this.#outputBytes = outputBytes;
  }

  /** @param {number} outputBytes */
  limit(outputBytes) {
    this.#outputBytes = outputBytes;
  }

  /**
   * What is written from now on belongs to this execution.
   * @param {number} requestId
   */
  own(requestId) {
    if (requestId === this.#owner) return;
    this.flush();
    this.#owner = requestId;
  }

  /**
   * @param {StreamName} name
   * @param {Uint8Array} bytes
   * @returns {number} how many of them were taken: all
   */
  write(name, bytes) {
    const kept = this.#count(bytes.length);
    if (kept > 0) {
      if (name !== this.#name) this.flush();
      this.#name = name;
      this.#append(kept === bytes.length ? bytes : bytes.subarray(0, kept));
    }
    const waited = performance.now() - this.#lastFlush;
    if (waited >= COALESCE_MS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), COALESCE_MS);
    return bytes.length;
  }

  /** Send what is due: called between two bytecodes, when no timer can fire. */
  poll() {
    if (this.#timer && performance.now() - this.#lastFlush >= COALESCE_MS) this.flush();
  }

  /** Send what there is. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lastFlush = performance.now();
    this.#sendText();
    const count = this.#known(this.#owner);
    if (count && count.dropped > count.reported) this.#report(count);
  }

  /**
   * Everything of this execution, with the last count of what was dropped.
   * @param {number} requestId
   */
  finish(requestId) {
    this.flush();
    const count = this.#known(requestId);
    if (!count || count.dropped === count.reported) return;
    count.reportedAt = 0;
    const owner = this.#owner;
    this.#owner = requestId;
    this.#report(count);
    this.#owner = owner;
  }

  /** @param {Uint8Array} bytes */
  #append(bytes) {
    for (let taken = 0; taken < bytes.length; ) {
      if (this.#filled === BUFFER_BYTES) this.flush();
      const part = bytes.subarray(taken, taken + BUFFER_BYTES - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
    }
  }

  #sendText() {
    if (this.#filled === 0) return;
    const text = this.#readers[this.#name].read(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
    if (text)
      this.#send({ type: "stream", request_id: this.#owner, name: this.#name, text });
  }

  /**
   * @param {number} bytes
   * @returns {number} how many of them are within the limit
   */
  #count(bytes) {
    const count = this.#known(this.#owner) ?? this.#remember(this.#owner);
    const kept = Math.max(0, Math.min(bytes, this.#outputBytes - count.bytes));
    count.bytes += kept;
    count.dropped += bytes - kept;
    return kept;
  }

  /** @param {number} owner */
  #known(owner) {
    return this.#counts.get(owner) ?? (owner <= this.#lateUpTo ? this.#late : undefined);
  }

  /** @param {number} owner */
  #remember(owner) {
    const count = { bytes: 0, dropped: 0, reported: 0, reportedAt: 0 };
    this.#counts.set(owner, count);
    if (this.#counts.size > REMEMBERED_EXECUTIONS) {
      const oldest = /** @type {number} */ (this.#counts.keys().next().value);
      this.#counts.delete(oldest);
      this.#lateUpTo = Math.max(this.#lateUpTo, oldest);
    }
    return count;
  }

  /** @param {Count} count */
  #report(count) {
    const now = performance.now();
    if (count.reportedAt && now - count.reportedAt < REPORT_MS) {
      this.#timer ??= setTimeout(() => this.flush(), REPORT_MS);
      return;
    }
    count.reported = count.dropped;
    count.reportedAt = now;
    this.#send({ type: "stream_dropped", request_id: this.#owner, dropped_bytes: count.dropped });
  }
}
