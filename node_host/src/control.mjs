/** Server ⇄ Node host: the socketpair's end, read in the event loop and between two bytecodes. */
import fs from "node:fs";
import net from "node:net";

const READ_BYTES = 65536;
const FULL_SOCKET_WAIT_MS = 1;
const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Let the whole process wait.
 * @param {number} ms
 */
export function block(ms) {
  Atomics.wait(never, 0, 0, ms);
}

/** The control socket: blocking writes (a slow reader slows us), reads that never wait. */
export class Control {
  #fd;
  #chunk = Buffer.allocUnsafeSlow(READ_BYTES);
  #receive;
  #closed;
  /** @type {Uint8Array[]} the first of them is being written */
  #unwritten = [];

  /**
   * @param {number} fd
   * @param {(data: Uint8Array, isPolled: boolean) => void} receive gets what was read, at once
   * @param {() => void} closed the other end is gone
   */
  constructor(fd, receive, closed) {
    this.#fd = fd;
    this.#receive = receive;
    this.#closed = closed;
  }

  /** Let the event loop read; this also makes the socket non-blocking. */
  listen() {
    const socket = new net.Socket({ fd: this.#fd, readable: true, writable: false });
    socket.on("data", (data) => this.#receive(data, false));
    for (const event of ["end", "close", "error"]) socket.on(event, this.#closed);
  }

  /** Read what has come, without waiting: Python runs and the event loop does not turn. */
  poll() {
    for (;;) {
      let count;
      try {
        count = fs.readSync(this.#fd, this.#chunk, 0, READ_BYTES, null);
      } catch (error) {
        if (codeOf(error) !== "EAGAIN") this.#closed();
        return;
      }
      if (count === 0) this.#closed();
      this.#receive(this.#chunk.subarray(0, count), true);
    }
  }

  /**
   * Write a whole frame. What is read while the socket is full may be answered at once: such an
   * answer waits here until the frame that is half written has been finished.
   * @param {Uint8Array} frame
   */
  write(frame) {
    this.#unwritten.push(frame);
    if (this.#unwritten.length > 1) return;
    for (let next; (next = this.#unwritten[0]); this.#unwritten.shift()) this.#writeWhole(next);
  }

  /** @param {Uint8Array} frame */
  #writeWhole(frame) {
    for (let written = 0; written < frame.length; ) {
      try {
        written += fs.writeSync(this.#fd, frame, written);
      } catch (error) {
        if (codeOf(error) !== "EAGAIN") return this.#closed();
        this.poll(); // an interrupt must reach a printing loop whose reader is slow
        block(FULL_SOCKET_WAIT_MS);
      }
    }
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code;
}
