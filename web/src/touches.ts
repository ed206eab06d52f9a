// When each thing was last seen to change, for the flash. Pure but for the clock.

export interface Touch {
  readonly at: number;
  /** It changes all the time: a flash for each would be a light that is on. */
  readonly steady: boolean;
}

const STEADY_MS = 600;
const FLASH_MS = 1400;

export class Touches {
  readonly #touches = new Map<string, Touch>();

  note(key: string, now = performance.now()): void {
    const before = this.#touches.get(key);
    this.#touches.set(key, { at: now, steady: before !== undefined && now - before.at < STEADY_MS });
  }

  /** The change of a moment ago, if there was one. */
  fresh(key: string, now = performance.now()): Touch | null {
    const touch = this.#touches.get(key);
    return touch && now - touch.at < FLASH_MS ? touch : null;
  }
}
