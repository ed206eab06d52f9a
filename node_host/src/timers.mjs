/** JavaScript's timers for the kernel: gates to suspend on, and the turns of its event loop. */

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * A promise that the kernel suspends on, and its key; opens by itself after `ms`, if that is not 0.
 * @param {number} ms
 */
export function gate(ms) {
  const { promise, resolve } = Promise.withResolvers();
  const timer = ms > 0 ? setTimeout(resolve, Math.min(ms, MAX_TIMEOUT_MS)) : undefined;
  const open = () => {
    clearTimeout(timer);
    resolve(undefined);
  };
  return { promise, open };
}

/** Turns the kernel's event loop when it has asked for it. */
export class Stepper {
  #step;
  #isDue = false;
  #at = Infinity;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /** @param {() => void} step */
  constructor(step) {
    this.#step = step;
  }

  /** @param {number} ms at the latest after so long */
  schedule(ms) {
    if (this.#isDue) return;
    if (ms <= 0) {
      this.#isDue = true;
      setImmediate(() => this.#turn());
      return;
    }
    const at = performance.now() + ms;
    if (at >= this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    // Rounded up: a timer that fires early would find nothing to run.
    const rounded = Math.min(Math.ceil(ms), MAX_TIMEOUT_MS);
    this.#timer = setTimeout(() => this.#turn(), rounded).unref(); // the socket keeps us alive
  }

  #turn() {
    clearTimeout(this.#timer);
    this.#at = Infinity;
    this.#isDue = false;
    this.#step();
  }
}
