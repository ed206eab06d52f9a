// What the arena is drawn of. All lengths are those of the arena, and y grows upwards.

/** @typedef {CanvasRenderingContext2D} Context */

/** @param {Context} context @param {{width: number, height: number}} size @param {string} colour */
export function grid(context, size, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 0.12;
  context.beginPath();
  for (let x = 10; x < size.width; x += 10) line(context, x, 0, x, size.height);
  for (let y = 10; y < size.height; y += 10) line(context, 0, y, size.width, y);
  context.stroke();
}

/** @param {Context} context @param {number} x @param {number} y @param {number} toX @param {number} toY */
function line(context, x, y, toX, toY) {
  context.moveTo(x, y);
  context.lineTo(toX, toY);
}

/** @param {Context} context @param {number} x @param {number} y @param {number} radius @param {string} colour */
export function disc(context, x, y, radius, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/** @param {Context} context @param {number} x @param {number} y @param {number} radius @param {string} colour */
export function ring(context, x, y, radius, colour) {
  context.strokeStyle = colour;
  context.globalAlpha = 0.35;
  context.lineWidth = 0.25;
  context.setLineDash([1.2, 1.2]);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** @param {Context} context @param {{x: number, y: number}} bite @param {number} now @param {string} colour */
export function drawFood(context, bite, now, colour) {
  const beat = Math.sin(now / 300 + bite.x);
  context.globalAlpha = 0.25;
  disc(context, bite.x, bite.y, 1.25 + 0.2 * beat, colour);
  context.globalAlpha = 1;
  disc(context, bite.x, bite.y, 0.7, colour);
}

/** @param {Context} context @param {{trail: {x: number, y: number}[], colour: string}} unit */
export function drawTrail(context, { trail, colour }) {
  context.strokeStyle = colour;
  context.lineCap = "round";
  for (let i = 1; i < trail.length; i++) {
    const [from, to] = [trail[i - 1], trail[i]];
    if (Math.hypot(to.x - from.x, to.y - from.y) > 5) continue; // it began anew somewhere else
    context.globalAlpha = (0.3 * i) / trail.length;
    context.lineWidth = (2.4 * i) / trail.length;
    context.beginPath();
    line(context, from.x, from.y, to.x, to.y);
    context.stroke();
  }
  context.globalAlpha = 1;
}

/**
 * A round one, whose eyes look where it goes.
 * @param {Context} context @param {{x: number, y: number, heading: number}} place
 * @param {number} radius @param {string} colour
 */
export function drawUnit(context, place, radius, colour) {
  context.save();
  context.translate(place.x, place.y);
  context.rotate((place.heading * Math.PI) / 180);
  disc(context, 0, 0, radius, colour);
  for (const side of [-1, 1]) {
    disc(context, radius * 0.45, side * radius * 0.42, radius * 0.34, "#fff");
    disc(context, radius * 0.6, side * radius * 0.42, radius * 0.17, "#10181a");
  }
  context.restore();
}

/**
 * @param {Context} context @param {number} x @param {number} y @param {string} text
 * @param {string} colour @param {number} [size]
 */
export function label(context, x, y, text, colour, size = 2) {
  context.save();
  context.translate(x, y);
  context.scale(1, -1); // letters do not stand on their heads
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = colour;
  context.fillText(text, 0, 0);
  context.restore();
}
