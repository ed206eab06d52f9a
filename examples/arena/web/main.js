// The page: rows come in, the field and the panel draw them.

import { drawRows, get, make } from "./dom.js";
import { Field } from "./field.js";
import { Panel } from "./panel.js";
import { Rows } from "./rows.js";

/** @typedef {import("./rows.js").Row} Row */

/** @type {Field} */
let field;
/** @type {Panel} */
let panel;

const rows = new Rows(location.hash.slice(1), {
  greeted(greeting) {
    if (!panel) {
      field = new Field(/** @type {HTMLCanvasElement} */ (get("field")), greeting);
      panel = new Panel(rows, greeting.scripts, greeting.links);
    }
  },
  changed(tables) {
    if (tables.has("player")) drawPlayers();
    if (tables.has("unit")) {
      field.setUnits(rows.of("unit"), colourOf);
      drawUnits();
    }
    if (tables.has("food")) field.setFood(rows.of("food"));
    panel.draw(tables);
  },
  problem: (words) => panel.editor.say(words, true),
  lost: (isLost) => (get("lost").hidden = !isLost),
});
rows.open();

get("field").onclick = (event) => choose(field.unitAt(event));

/** @param {string | undefined} unit */
function choose(unit) {
  const player = rows.of("player").find((each) => each.unit === unit);
  if (!player) return;
  field.chosen = player.unit;
  panel.choose(player);
  for (const tab of get("players").children) {
    tab.setAttribute("aria-selected", String(tab.textContent === player.unit));
  }
}

function drawPlayers() {
  const players = rows.of("player").sort((a, b) => a.colour - b.colour);
  get("players").replaceChildren(
    ...players.map((player) => {
      const tab = make("button", player.unit, `unit-${player.colour}`);
      tab.setAttribute("role", "tab");
      tab.dataset.unit = player.unit;
      tab.onclick = () => choose(player.unit);
      return tab;
    }),
  );
  choose(field.chosen || players[0]?.unit);
}

function drawUnits() {
  const cells = rows.of("unit").map((row) => [
    row.name, row.x.toFixed(1), row.y.toFixed(1), row.heading.toFixed(0), String(row.score),
  ]);
  for (const [name, row] of drawRows(get("units"), cells)) {
    row.onclick = () => choose(name);
    row.className = tabOf(name)?.className ?? "";
  }
}

/** @param {string} unit */
function tabOf(unit) {
  return get("players").querySelector(`[data-unit="${CSS.escape(unit)}"]`);
}

/** The colour of the player's tab, light or dark as the page is. @param {string} unit */
function colourOf(unit) {
  const tab = tabOf(unit);
  return tab ? getComputedStyle(tab).accentColor : "gray";
}
