/** Server ⇄ kernel: what a message does, in the event loop and between two bytecodes. */
import process from "node:process";

import { block } from "./control.mjs";
import { describeFatal } from "./fatal.mjs";
import { encodeBlob, encodeMessage, encodeText, FrameReader, MAX_BLOB_CHUNK_BYTES } from "./frames.mjs";
import { gate, Stepper } from "./timers.mjs";

const SAFE_POINT_SIGNAL = 62;
const READ_MS = 3;
const POLL_MS = 0.5;
const TICK_MS = 20;
const MAX_BLOB_BYTES = 256 * 2 ** 20;
const ENTROPY_NUMBERS = 8;

/** What the kernel has to do at a safe point (monitor/watchglass_monitor/host.py has the same). */
const DUE = { messages: 1, interrupt: 2, blocked: 4, deadline: 8, tick: 16 };

/** @typedef {import("./frames.mjs").Message} Message */
/** @typedef {{ request_id: number, number: number, code: string, store_history: boolean }} Execute */
/** @typedef {import("./interpreter.mjs").Kernel} Kernel */

/** One conversation with the server, for one kernel. */
export class Host {
  #control;
  #streams;
  #safePoints;
  #memoryBytes = () => 0;
  /** @type {import("./fingerprints.mjs").Fingerprints | undefined} */
  #fingerprints;
  #reader = new FrameReader();
  #stepper = new Stepper(() => this.#attached().step());
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
  #deliveredAttempt = 0;
  #stray = 0;
  #deadline = Infinity;
  #lastRead = -Infinity;
  #nextPoll = -Infinity;
  #lastTick = -Infinity;
  #tickMs = TICK_MS;
  #draining = false;
  #pollMs;
  #variables;
  /** @type {NodeJS.Timeout | undefined} */
  #ticker;
  #tickAt = Infinity;

  /**
   * @param {object} parts
   * @param {import("./control.mjs").Control} parts.control
   * @param {import("./streams.mjs").Streams} parts.streams
   * @param {import("./safe_points.mjs").SafePoints} parts.safePoints
   * @param {number} parts.pollMs
   * @param {number} parts.variables
   */
  constructor({ control, streams, safePoints, pollMs, variables }) {
    this.#control = control;
    this.#streams = streams;
    this.#safePoints = safePoints;
    this.#pollMs = pollMs;
    this.#variables = variables;
  }

  /** @param {import("./fingerprints.mjs").Fingerprints} fingerprints */
  lend(fingerprints) {
    this.#fingerprints = fingerprints;
  }

  /**
   * @param {Kernel} kernel
   * @param {() => number} memoryBytes what the interpreter has now
   */
  attach(kernel, memoryBytes) {
    this.#kernel = kernel;
    this.#memoryBytes = memoryBytes;
  }

  /** Whether an execution runs or waits to. */
  get isBusy() {
    return this.#running !== undefined || this.#waiting.length > 0;
  }

  /** @param {{ pyodide: string, image: boolean }} facts */
  ready(facts) {
    const { python, rung } = this.#attached();
    const memory_bytes = this.#memoryBytes();
    this.send({ type: "ready", ...facts, python, rung, node: process.versions.node, memory_bytes });
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
    // In a loop of nothing but turns this is reached every microsecond. An interrupt needs each of
    // them: most may fall into finalizers, where nothing can be raised.
    if (now < this.#nextPoll && !this.#press) return 0;
    this.#nextPoll = now + POLL_MS;
    if (now - this.#lastRead >= READ_MS) {
      this.#lastRead = now;
      this.#control.poll();
    }
    this.#streams.poll();
    return this.#due(now) ? SAFE_POINT_SIGNAL : 0;
  }

  /**
   * The interpreter is lost: say why and end.
   * @param {unknown} error
   * @returns {never}
   */
  fail(error) {
    this.#streams.flush();
    this.send({ type: "fatal", ...describeFatal(error) });
    process.exit(1);
  }

  /**
   * @param {Uint8Array} data
   * @param {boolean} isPolled read while Python runs, not by the event loop
   */
  receiveData(data, isPolled) {
    try {
      for (const frame of this.#reader.receiveData(data))
        if (frame.kind === "blob") this.#keep(frame.requestId, frame.data);
        else this.#route(frame.message, frame.text);
    } catch (error) {
      this.fail(error); // the server broke the protocol: nothing after this could be trusted
    }
    if (!isPolled) this.#drain();
    else if (!this.#draining) setImmediate(() => this.#drain());
    this.#draining ||= isPolled;
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
    if (this.#inbox.length) kernel.serve();
    if (this.#press && this.#running) kernel.interrupt();
    if (!this.#running) this.#start();
  }

  #start() {
    const execute = this.#waiting.shift();
    if (!execute) return;
    this.#running = execute;
    this.#deliveredTo = 0;
    this.#lastTick = -Infinity;
    this.#wake(this.#pollMs);
    const { request_id, number, code, store_history } = execute;
    this.#attached().execute(request_id, number, code, store_history ?? true);
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

  /** @param {{ poll_ms?: number, output_bytes?: number, variables?: number }} settings */
  #configure({ poll_ms, output_bytes, variables }) {
    if (poll_ms) this.#pollMs = poll_ms;
    if (output_bytes) this.#streams.limit(output_bytes);
    if (variables !== undefined) this.#variables = variables;
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
    if (now - this.#lastTick >= this.#tickMs) due |= DUE.tick;
    return due;
  }

  /** @param {number} ms */
  #wake(ms) {
    clearTimeout(this.#ticker);
    this.#tickAt = performance.now() + ms;
    this.#ticker = setTimeout(() => this.#tick(), ms).unref();
  }

  async #tick() {
    this.#ticker = undefined;
    const next = await this.#attached().tick();
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
    this.#deliveredAttempt = attempt;
    this.#acknowledge(requestId, attempt);
  }

  /** It was raised where Python swallows what is raised, as in __del__: it is due again. */
  #undelivered() {
    const requestId = this.#running?.request_id;
    if (!requestId || this.#deliveredTo !== requestId) return false;
    this.#deliveredTo = 0;
    this.#press ??= { requestId, attempt: this.#deliveredAttempt };
    return true;
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
    if (!chunks) return undefined;
    const whole = Buffer.concat(chunks);
    return new Uint8Array(whole.buffer, whole.byteOffset, whole.length); // Pyodide knows no Buffer
  }

  #attached() {
    if (!this.#kernel) throw new Error("no kernel is attached yet");
    return this.#kernel;
  }

  /**
   * What the kernel may ask for: monitor/watchglass_monitor/host.py says what each of them does.
   * @param {import("./dict_watcher.mjs").DictWatcher} [watcher]
   */
  forKernel(watcher) {
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
      undelivered: () => this.#undelivered(),
      own: (/** @type {number} */ requestId) => this.#streams.own(requestId),
      begin: () => this.#safePoints.restart(),
      finish: (/** @type {string} */ status, /** @type {number} */ durationMs) =>
        this.#finish(status, durationMs),
      deadline: (/** @type {number} */ ms) => {
        this.#deadline = ms > 0 ? performance.now() + ms : Infinity;
      },
      wake: (/** @type {number} */ ms) => {
        if (!this.#ticker || performance.now() + ms < this.#tickAt) this.#wake(ms);
      },
      schedule: (/** @type {number} */ ms) => this.#stepper.schedule(ms),
      wait: (/** @type {number} */ ms) => this.#wait(ms),
      gate,
      poll_ms: () => this.#pollMs,
      variables: () => this.#variables,
      pace: (/** @type {number} */ ms) => {
        this.#tickMs = ms || TICK_MS;
      },
      watcher: () => watcher,
      fingerprints: () => this.#fingerprints?.forKernel(),
      // V8 takes the start of this from the operating system; Node's crypto takes 10 ms to load.
      entropy: () => Array.from({ length: ENTROPY_NUMBERS }, Math.random).join(),
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
      this.#lastRead = -Infinity;
      const now = performance.now();
      if (this.poll(now) || now >= end) return;
      block(Math.min(READ_MS, end - now));
    }
  }
}
