/** Node host → kernel: the stacks that its entries run on, each of them used again and again. */

/**
 * The kernel's side of one: monitor/watchglass_monitor/worker.py.
 * @typedef {object} Worker
 * @property {(name: string, ...args: unknown[]) => void} give
 * @property {{ callPromising: (done: (result: unknown) => void) => Promise<void> }} work
 */

/**
 * Runs entries on stacks that the code can suspend. V8 gives the memory of a stack back when it is
 * left, but never its addresses (deps/v8/src/wasm/stacks.cc only decommits it, above a pool of 4 MB):
 * with a stack for each entry, a session that sleeps in a loop would run out of them. So a stack
 * takes entry after entry, and there are as many as ever were suspended at a time.
 */
export class Workers {
  #make;
  #fail;
  /** @type {((entry: [string, ...unknown[]], whenDone: (result: any) => void) => void)[]} */
  #idle = [];

  /**
   * @param {() => Worker} make
   * @param {(error: unknown) => void} fail an entry failed, after which nothing can be relied on
   */
  constructor(make, fail) {
    this.#make = make;
    this.#fail = fail;
  }

  /**
   * Run an entry of the kernel.
   * @param {string} name
   * @param {unknown[]} args
   * @returns {Promise<any>} what it returns
   */
  call(name, ...args) {
    const give = this.#idle.pop() ?? this.#start();
    return new Promise((whenDone) => give([name, ...args], whenDone));
  }

  #start() {
    const worker = this.#make();
    /** @type {(result: any) => void} */
    let whenDone;
    const give = (/** @type {[string, ...unknown[]]} */ entry, /** @type {typeof whenDone} */ then) => {
      whenDone = then;
      worker.give(...entry);
    };
    const done = (/** @type {unknown} */ result) => {
      this.#idle.push(give);
      whenDone(result);
    };
    worker.work.callPromising(done).catch(this.#fail);
    return give;
  }
}
