// One player's session, all of it from rows of the mirror: its script, its variables, and what ran.

import { drawRows, get, make } from "./dom.js";
import { Editor } from "./editor.js";

/** @typedef {import("./rows.js").Row} Row */
/** @typedef {import("./rows.js").Rows} Rows */

const SHOWN = 8; // executions
const LEFT_OUT = new Set(["function", "module"]);
const FIRST = ["heading", "me", "others", "food", "problem"];

export class Panel {
  /** @type {Row | null} */
  #player = null;

  /** @param {Rows} rows @param {Record<string, string>} scripts @param {Record<string, string>} links */
  constructor(rows, scripts, links) {
    this.rows = rows;
    this.links = links;
    this.editor = new Editor(scripts, (code, key) => this.#ask({ code, key }));
    get("restart").onclick = () => {
      this.editor.open(this.#player?.unit ?? "");
      this.editor.say("A new process, with the script of the beginning …");
      this.#ask({ restart: true });
    };
  }

  /** @param {object} what */
  #ask(what) {
    if (this.#player) this.rows.ask({ unit: this.#player.unit, ...what });
  }

  /** @param {Row} player */
  choose(player) {
    if (player.unit === this.#player?.unit) return;
    this.#player = player;
    this.editor.open(player.unit);
    get("name").textContent = player.unit;
    get("open").setAttribute("href", this.links[player.unit]);
    this.draw(new Set(["process", "execution", "variable"]));
  }

  /** @param {Set<string>} changed tables */
  draw(changed) {
    const session = this.#player?.session;
    if (!session) return;
    if (changed.has("process")) {
      get("state").textContent = this.rows.of("process", session)[0]?.state ?? "";
    }
    if (changed.has("variable")) {
      const variables = this.rows.of("variable", session);
      drawVariables(variables);
      this.editor.fails(problemIn(variables));
    }
    if (["execution", "output", "command_result"].some((table) => changed.has(table))) {
      const executions = this.rows.of("execution", session).sort((a, b) => b.number - a.number);
      const outputs = this.rows.of("output", session).sort((a, b) => a.place - b.place);
      get("executions").replaceChildren(...executions.slice(0, SHOWN).map((each) => drawn(each, outputs)));
      this.editor.follow(executions, this.rows.of("command_result", session));
    }
  }
}

/** @param {Row[]} variables */
function drawVariables(variables) {
  const shown = variables.filter((each) => !LEFT_OUT.has(each.type) && !each.name.startsWith("_"));
  shown.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  const rows = drawRows(get("variables"), shown.map((each) => [each.name, each.preview]));
  rows.get("problem")?.classList.toggle("wrong", problemIn(variables) !== "");
}

/** What the kit's loop notes of steer(). @param {Row[]} variables */
function problemIn(variables) {
  const noted = variables.find((each) => each.name === "problem");
  return noted?.type === "str" ? noted.preview.slice(1, -1) : "";
}

/** @param {Row} variable */
function rank(variable) {
  const found = FIRST.indexOf(variable.name);
  return found === -1 ? FIRST.length : found;
}

/** @param {Row} execution @param {Row[]} outputs */
function drawn(execution, outputs) {
  const item = make("li", "", execution.status);
  const head = make("div", "", "bar");
  head.append(make("span", `In[${execution.number}]`), make("span", `${execution.author ?? ""} · ${execution.status}`));
  item.append(head, make("pre", execution.code.trimEnd()));
  const printed = outputs.filter((each) => each.execution === execution.execution && each.kind === "stream");
  for (const text of [printed.map((each) => each.text).join(""), execution.result, execution.error]) {
    if (text) item.append(make("pre", text, "said"));
  }
  return item;
}
