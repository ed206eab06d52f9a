// Where a unit is between two rows. It is drawn a little late, so that there always is a next row to move to.

/** @typedef {{at: number, x: number, y: number, heading: number}} Place */

const JUMP = 12; // who is farther away than this after a tick did not walk there
const KEPT = 8;

export class Motion {
  /** @type {Place[]} */
  #places = [];

  /** @param {Place} place */
  add(place) {
    this.#places = [...this.#places, place].slice(-KEPT);
  }

  /**
   * The place at a time, on the straight line between two rows.
   * @param {number} at
   * @returns {Place}
   */
  at(at) {
    const next = this.#places.findIndex((place) => place.at > at);
    if (next === -1) return this.#places[this.#places.length - 1];
    if (next === 0) return this.#places[0];
    const [from, to] = [this.#places[next - 1], this.#places[next]];
    if (Math.hypot(to.x - from.x, to.y - from.y) > JUMP) return from;
    const part = (at - from.at) / (to.at - from.at);
    return {
      at,
      x: from.x + (to.x - from.x) * part,
      y: from.y + (to.y - from.y) * part,
      heading: from.heading + turn(from.heading, to.heading) * part,
    };
  }
}

/**
 * The shorter way round, in degrees.
 * @param {number} from
 * @param {number} to
 */
function turn(from, to) {
  return ((((to - from + 180) % 360) + 360) % 360) - 180;
}
