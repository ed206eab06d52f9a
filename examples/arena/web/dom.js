// Elements: found, made, and kept where only their text changes, so that it can be selected.

/** @param {string} id */
export function get(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} tag @param {string} [text] @param {string} [classes] */
export function make(tag, text = "", classes = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

/**
 * The rows of a table, each with its name in the first cell.
 * @param {HTMLElement} table @param {string[][]} rows
 * @returns {Map<string, HTMLElement>}
 */
export function drawRows(table, rows) {
  const body = /** @type {HTMLElement} */ (table.querySelector("tbody"));
  const known = new Map([...body.children].map((row) => [/** @type {HTMLElement} */ (row).dataset.name, row]));
  const drawn = new Map();
  rows.forEach((cells, at) => {
    const row = /** @type {HTMLElement} */ (known.get(cells[0]) ?? make("tr"));
    known.delete(cells[0]);
    row.dataset.name = cells[0];
    cells.forEach((text, column) => {
      const cell = row.children[column] ?? row.appendChild(make("td"));
      if (cell.textContent !== text) cell.textContent = text;
    });
    if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
    drawn.set(cells[0], row);
  });
  for (const row of known.values()) row.remove();
  return drawn;
}
