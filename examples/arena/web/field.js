// The arena, drawn from rows at every frame of the screen.

import { Motion } from "./motion.js";
import { drawFood, drawTrail, drawUnit, grid, label, ring } from "./shapes.js";

/** @typedef {import("./rows.js").Row} Row */
/** @typedef {import("./rows.js").Greeting} Greeting */
/** @typedef {{motion: Motion, row: Row, colour: string, trail: {x: number, y: number}[]}} Unit */
/** @typedef {{x: number, y: number, text: string, colour: string, since: number}} Note */

const LATE_TICKS = 1.5;
const TRAIL = 70; // frames
const NOTE_MS = 1400;
const NOTES = 20;

export class Field {
  /** @type {Map<string, Unit>} */
  #units = new Map();
  /** @type {Row[]} */
  #food = [];
  /** @type {Note[]} */
  #notes = [];
  chosen = "";

  /** @param {HTMLCanvasElement} canvas @param {Greeting} size */
  constructor(canvas, size) {
    this.canvas = canvas;
    this.size = size;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    canvas.style.aspectRatio = `${size.width} / ${size.height}`;
    const draw = () => {
      this.#draw(performance.now());
      requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  }

  /** @param {Row[]} rows @param {(name: string) => string} colourOf */
  setUnits(rows, colourOf) {
    const at = performance.now();
    for (const row of rows) {
      const unit = this.#units.get(row.name) ?? { motion: new Motion(), row, colour: "", trail: [] };
      this.#units.set(row.name, unit);
      if (row === unit.row && unit.colour) continue;
      const gained = row.score - unit.row.score;
      if (gained) {
        const text = gained > 0 ? `+${gained}` : `−${-gained}`;
        const note = { ...unit.motion.at(at), text, colour: colourOf(row.name), since: at };
        this.#notes = [...this.#notes, note].slice(-NOTES); // nobody looks: nobody draws
      }
      unit.motion.add({ at, x: row.x, y: row.y, heading: row.heading });
      unit.row = row;
      unit.colour = colourOf(row.name);
    }
  }

  /** @param {Row[]} rows */
  setFood(rows) {
    this.#food = rows;
  }

  /**
   * Whose unit is at a point of the page.
   * @param {MouseEvent} event
   * @returns {string | undefined}
   */
  unitAt(event) {
    const scale = this.canvas.clientWidth / this.size.width;
    const x = event.offsetX / scale;
    const y = this.size.height - event.offsetY / scale;
    const near = [...this.#units].find(([, unit]) => {
      const place = this.#placeOf(unit, performance.now());
      return Math.hypot(place.x - x, place.y - y) < 2 * this.size.radius;
    });
    return near?.[0];
  }

  /** @param {Unit} unit @param {number} now */
  #placeOf(unit, now) {
    return unit.motion.at(now - LATE_TICKS * this.size.tick_ms);
  }

  /** @param {number} now */
  #draw(now) {
    const { canvas, context, size } = this;
    const scale = fit(canvas) / size.width;
    const style = getComputedStyle(canvas);
    context.setTransform(scale, 0, 0, -scale, 0, canvas.height); // y grows upwards, as headings do
    context.clearRect(0, 0, size.width, size.height);
    grid(context, size, style.borderColor);
    for (const { x, y } of this.#food) drawFood(context, { x, y }, now, style.outlineColor);
    for (const [name, unit] of this.#units) {
      const place = this.#placeOf(unit, now);
      unit.trail = [...unit.trail, place].slice(-TRAIL);
      drawTrail(context, unit);
      if (name === this.chosen) ring(context, place.x, place.y, size.sight, unit.colour);
    }
    for (const [name, unit] of this.#units) {
      const place = this.#placeOf(unit, now);
      drawUnit(context, place, size.radius, unit.colour);
      const x = Math.min(Math.max(place.x, 5), size.width - 5);
      const y = place.y < 7 ? place.y + size.radius + 1.8 : place.y - size.radius - 1.8;
      label(context, x, y, `${name} ${unit.row.score}`, style.color);
    }
    this.#notes = this.#notes.filter((note) => now - note.since < NOTE_MS);
    for (const note of this.#notes) {
      const age = (now - note.since) / NOTE_MS;
      context.globalAlpha = 1 - age;
      label(context, note.x, Math.min(note.y + 3, size.height - 6) + 4 * age, note.text, note.colour, 3);
      context.globalAlpha = 1;
    }
  }
}

/**
 * As many pixels as the screen has for it; the width.
 * @param {HTMLCanvasElement} canvas
 */
function fit(canvas) {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round(canvas.clientHeight * devicePixelRatio);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return width;
}
