/** Server ⇄ kernel: what a message does, in the event loop and between two bytecodes. */
import { encodeBlob, encodeMessage, encodeText, MAX_BLOB_CHUNK_BYTES } from "./frames.mjs";

const SAFE_POINT_SIGNAL = 62;
const READ_MS = 3;
const TICK_MS = 50;
const MAX_BLOB_BYTES = 256 * 2 ** 20;

/** What the kernel has to do at a safe point (monitor/watchglass_monitor/host.py has the same). */
const DUE = { messages: 1, interrupt: 2, blocked: 4, deadline: 8, tick: 16 };

/** @typedef {import("./frames.mjs").Message} Message */
/** @typedef {{ request_id: number, number: number, code: string, store_history: boolean }} Execute */
/**
 * The kernel's entries (monitor/watchglass_monitor/kernel.py), each run on a stack of its own.
 * @typedef {object} Kernel
 * @property {(requestId: number, number: number, code: string, store: boolean) => Promise<void>} execute
 * @property {() => Promise<void>} serve
 * @property {() => Promise<void>} interrupt
 * @property {() => Promise<number>} tick
 */

/** One conversation with the server, for one kernel. */
export class Host {
  #control;
  #streams;
  #memoryBytes;
  #fail;
  /** @type {Kernel | undefined} */
  #kernel;
  /** @type {Execute | undefined} */
  #running;
  /** @type {Execute[]} */
  #waiting = [];
  /** @type {string[]} */
  #inbox = [];
  /** @type {Map<number, Buffer[]>} */
  #blobs = new Map();
  /** @type {{ requestId: number, attempt: number } | undefined} an interrupt not yet delivered */
  #press;
  #deliveredTo = 0;
  #stray = 0;
  #deadline = Infinity;
  #lastRead = 0;
  #lastTick = 0;
  #polling = false;
  #draining = false;
  #pollMs;
  /** @type {NodeJS.Timeout | undefined} */
  #ticker;

  /**
   * @param {object} parts
   * @param {import("./control.mjs").Control} parts.control
   * @param {import("./streams.mjs").Streams} parts.streams
   * @param {() => number} parts.memoryBytes
   * @param {(error: unknown) => void} parts.fail the interpreter is lost
   * @param {number} parts.pollMs
   */
  constructor({ control, streams, memoryBytes, fail, pollMs }) {
    this.#control = control;
    this.#streams = streams;
    this.#memoryBytes = memoryBytes;
    this.#fail = fail;
    this.#pollMs = pollMs;
  }

  /** @param {Kernel} kernel */
  attach(kernel) {
    this.#kernel = kernel;
  }

  /** @param {Message} message */
  send(message) {
    this.#control.write(encodeMessage(message));
  }

  /**
   * Between two bytecodes: read what has come, send what is due.
   * @param {number} now
   * @returns {number} the signal that takes the kernel to a safe point, or 0
   */
  poll(now) {
    this.#polling = true;
    if (now - this.#lastRead >= READ_MS) {
      this.#lastRead = now;
      this.#control.poll();
    }
    this.#streams.poll();
    this.#polling = false;
    return this.#due(now) ? SAFE_POINT_SIGNAL : 0;
  }

  /** @param {import("./frames.mjs").Frame} frame */
  receive(frame) {
    if (frame.kind === "blob") this.#keep(frame.requestId, frame.data);
    else this.#route(frame.message, frame.text);
    if (this.#draining) return;
    this.#draining = true;
    if (this.#polling) setImmediate(() => this.#drain());
    else queueMicrotask(() => this.#drain());
  }

  /**
   * @param {Message} message
   * @param {string} text
   */
  #route(message, text) {
    switch (message.type) {
      case "execute":
        this.#waiting.push(/** @type {any} */ (message));
        break;
      case "interrupt":
        this.#interrupt(/** @type {any} */ (message));
        break;
      case "configure":
        this.#configure(/** @type {any} */ (message));
        break;
      case "query":
      case "input_reply":
        this.#inbox.push(text);
        break;
      default:
        throw new Error(`there is no message of type ${message.type}`);
    }
  }

  /** The event loop turns: nothing of Python runs, though something may be suspended. */
  #drain() {
    this.#draining = false;
    this.#stray = 0;
    const kernel = this.#attached();
    if (this.#inbox.length) this.#call(kernel.serve());
    if (this.#press && this.#running) this.#call(kernel.interrupt());
    if (!this.#running) this.#start();
  }

  #start() {
    const execute = this.#waiting.shift();
    if (!execute) return;
    this.#running = execute;
    this.#deliveredTo = 0;
    this.#lastTick = 0;
    this.#wake(this.#pollMs);
    const { request_id, number, code, store_history } = execute;
    this.#call(this.#attached().execute(request_id, number, code, store_history ?? true));
  }

  /** @param {{ request_id: number, attempt: number }} message */
  #interrupt({ request_id: requestId, attempt }) {
    const waits = this.#waiting.findIndex((execute) => execute.request_id === requestId);
    if (requestId !== this.#running?.request_id) {
      this.#acknowledge(requestId, attempt);
      this.#stray = requestId; // its tasks may still block the event loop
      if (waits >= 0) this.#refuse(waits);
      return;
    }
    if (attempt === 1) this.#deliveredTo = 0;
    if (this.#deliveredTo === requestId) this.#acknowledge(requestId, attempt);
    else this.#press = { requestId, attempt };
  }

  /**
   * End an execution that waits for a task to leave the event loop before it has begun.
   * @param {number} index
   */
  #refuse(index) {
    const [execute] = this.#waiting.splice(index, 1);
    if (!execute) return;
    const error = { name: "KeyboardInterrupt", message: "", traceback: ["KeyboardInterrupt"] };
    this.send({ type: "error", request_id: execute.request_id, ...error, line: null });
    this.#sendFinished(execute.request_id, "interrupted", 0);
  }

  /**
   * @param {number} requestId
   * @param {number} attempt
   */
  #acknowledge(requestId, attempt) {
    this.send({ type: "interrupt_ack", request_id: requestId, attempt });
  }

  /** @param {{ poll_ms?: number, output_bytes?: number }} settings */
  #configure({ poll_ms, output_bytes }) {
    if (poll_ms) this.#pollMs = poll_ms;
    if (output_bytes) this.#streams.limit(output_bytes);
  }

  /**
   * @param {number} requestId
   * @param {Buffer} data
   */
  #keep(requestId, data) {
    const chunks = this.#blobs.get(requestId) ?? [];
    chunks.push(data);
    this.#blobs.set(requestId, chunks);
    const bytes = [...this.#blobs.values()].flat().reduce((sum, chunk) => sum + chunk.length, 0);
    if (bytes > MAX_BLOB_BYTES) throw new Error(`a blob of more than ${MAX_BLOB_BYTES} bytes`);
  }

  /** @param {number} now */
  #due(now) {
    let due = 0;
    if (this.#inbox.length) due |= DUE.messages;
    if (this.#press) due |= DUE.interrupt;
    if (this.#stray) due |= DUE.blocked;
    if (now >= this.#deadline) due |= DUE.deadline;
    if (now - this.#lastTick >= TICK_MS) due |= DUE.tick;
    return due;
  }

  /** @param {number} ms */
  #wake(ms) {
    clearTimeout(this.#ticker);
    this.#ticker = setTimeout(() => this.#tick(), ms);
  }

  async #tick() {
    this.#ticker = undefined;
    const next = await this.#call(this.#attached().tick());
    if (next && !this.#ticker) this.#wake(next);
  }

  /**
   * @param {string} status
   * @param {number} durationMs
   */
  #finish(status, durationMs) {
    const requestId = this.#running?.request_id ?? 0;
    this.#running = undefined;
    this.#press = undefined;
    this.#deadline = Infinity;
    this.#sendFinished(requestId, status, durationMs);
    if (this.#waiting.length) setImmediate(() => this.#drain());
  }

  /**
   * @param {number} requestId
   * @param {string} status
   * @param {number} durationMs
   */
  #sendFinished(requestId, status, durationMs) {
    this.#streams.finish(requestId);
    this.send({
      type: "finished",
      request_id: requestId,
      status,
      duration_ms: durationMs,
      memory_bytes: this.#memoryBytes(),
    });
  }

  #delivered() {
    if (!this.#press) return;
    const { requestId, attempt } = this.#press;
    this.#press = undefined;
    this.#deliveredTo = requestId;
    this.#acknowledge(requestId, attempt);
  }

  /**
   * @param {number} requestId
   * @param {any} data a Python object with a buffer
   */
  #sendBlob(requestId, data) {
    const view = data.getBuffer("u8");
    try {
      for (let at = 0; at < view.data.length; at += MAX_BLOB_CHUNK_BYTES)
        this.#control.write(encodeBlob(requestId, view.data.slice(at, at + MAX_BLOB_CHUNK_BYTES)));
    } finally {
      view.release();
    }
  }

  /** @param {number} requestId */
  #takeBlob(requestId) {
    const chunks = this.#blobs.get(requestId);
    this.#blobs.delete(requestId);
    return chunks && Buffer.concat(chunks);
  }

  #attached() {
    if (!this.#kernel) throw new Error("no kernel is attached yet");
    return this.#kernel;
  }

  /**
   * @template T
   * @param {Promise<T>} entry
   * @returns {Promise<T | undefined>}
   */
  async #call(entry) {
    try {
      return await entry;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** What the kernel may ask for: monitor/watchglass_monitor/host.py says what each of them does. */
  forKernel() {
    return {
      send: (/** @type {string} */ text) => {
        this.#streams.flush();
        this.#control.write(encodeText(text));
      },
      send_blob: (/** @type {number} */ requestId, /** @type {any} */ data) =>
        this.#sendBlob(requestId, data),
      take: () => this.#inbox.shift(),
      take_blob: (/** @type {number} */ requestId) => this.#takeBlob(requestId),
      due: () => {
        const now = performance.now();
        const due = this.#due(now);
        if (due & DUE.tick) this.#lastTick = now;
        return due;
      },
      pressed: () => this.#press?.requestId ?? 0,
      stray: () => this.#stray,
      delivered: () => this.#delivered(),
      own: (/** @type {number} */ requestId) => this.#streams.own(requestId),
      finish: (/** @type {string} */ status, /** @type {number} */ durationMs) =>
        this.#finish(status, durationMs),
      deadline: (/** @type {number} */ ms) => {
        this.#deadline = ms > 0 ? performance.now() + ms : Infinity;
      },
      wake: (/** @type {number} */ ms) => {
        if (!this.#ticker) this.#wake(ms);
      },
      wait: (/** @type {number} */ ms) => this.#wait(ms),
      gate,
      poll_ms: () => this.#pollMs,
    };
  }

  /**
   * Block for at most `ms`, or until something is due for the kernel.
   * @param {number} ms
   */
  #wait(ms) {
    const end = performance.now() + ms;
    this.#streams.flush();
    for (;;) {
      this.#lastRead = 0;
      const now = performance.now();
      if (this.poll(now) || now >= end) return;
      this.#control.wait(Math.min(READ_MS, end - now));
    }
  }
}

/**
 * A promise that the kernel suspends on, and its key; opens by itself after `ms`, if that is not 0.
 * @param {number} ms
 */
function gate(ms) {
  const { promise, resolve } = Promise.withResolvers();
  const timer = ms > 0 ? setTimeout(resolve, ms) : undefined;
  const open = () => {
    clearTimeout(timer);
    resolve(undefined);
  };
  return { promise, open };
}
