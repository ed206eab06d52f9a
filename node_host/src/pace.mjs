/** How often the interpreter's signal check enters JavaScript: about once a millisecond. */

const SHORT_MS = 0.5;
const LONG_MS = 2;
const MAX_PERIOD = 1024;
const CHECKS_PER_TICK = 50; // the interpreter's own clock: it checks at every 50th loop turn or call

/**
 * Python asks for signals every 50 loop turns, which takes a microsecond or, with slow C calls in
 * the loop, a second. So the pace follows the time between two polls.
 */
export class Pace {
  #last = 0;
  #period = 1;

  /** Python begins to run: the next check shall poll. */
  restart() {
    this.#last = performance.now();
    this.#period = 1;
  }

  /**
   * @param {number} now
   * @returns {{ period: number, clock: number }} enter JavaScript at every period-th check; clock
   *   turns to the next check, 0 for the interpreter's own number
   */
  next(now) {
    const elapsed = now - this.#last;
    this.#last = now;
    if (elapsed < SHORT_MS) this.#period = Math.min(MAX_PERIOD, this.#period * 2);
    else if (elapsed > LONG_MS) this.#period = Math.max(1, this.#period >> 3);
    const slow = this.#period === 1 && elapsed > LONG_MS;
    const clock = slow ? Math.max(1, Math.floor((CHECKS_PER_TICK * LONG_MS) / elapsed)) : 0;
    return { period: this.#period, clock };
  }
}
