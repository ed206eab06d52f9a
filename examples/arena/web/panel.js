// One player's session: its script, its variables, and what ran, all of it from rows of the mirror.

/** @typedef {import("./rows.js").Row} Row */
/** @typedef {import("./rows.js").Rows} Rows */

const SHOWN = 8; // executions
const LEFT_OUT = new Set(["function", "module"]);

export class Panel {
  /** @type {Row | null} */
  player = null;
  #isEdited = false;
  /** The execution whose code the editor shows. @type {string | null} */
  #shown = null;
  /** How many executions there were when we sent one. @type {number | null} */
  #waitsFor = null;

  /** @param {Rows} rows @param {Record<string, string>} scripts @param {Record<string, string>} links */
  constructor(rows, scripts, links) {
    this.rows = rows;
    this.links = links;
    this.code = /** @type {HTMLTextAreaElement} */ (get("code"));
    this.code.oninput = () => (this.#isEdited = true);
    this.code.onkeydown = (event) => this.#key(event);
    get("editor").onsubmit = (event) => {
      event.preventDefault();
      this.#run();
    };
    get("scripts").replaceChildren(
      ...Object.entries(scripts).map(([name, code]) => {
        const button = make("button", name, "chip");
        button.setAttribute("type", "button");
        button.onclick = () => {
          this.code.value = code;
          this.#run();
        };
        return button;
      }),
    );
  }

  /** @param {Row} player */
  choose(player) {
    if (player.unit === this.player?.unit) return;
    this.player = player;
    this.#isEdited = false;
    this.#shown = null;
    this.#waitsFor = null;
    get("name").textContent = player.unit;
    get("open").setAttribute("href", this.links[player.unit]);
    this.say("", "");
    this.draw(new Set(["process", "execution", "variable"]));
  }

  /** @param {Set<string>} changed */
  draw(changed) {
    if (!this.player) return;
    const session = this.player.session;
    if (changed.has("process")) {
      get("state").textContent = this.rows.of("process", session)[0]?.state ?? "";
    }
    if (changed.has("variable")) this.#drawVariables(this.rows.of("variable", session));
    if (changed.has("execution") || changed.has("output")) {
      const executions = this.rows.of("execution", session).sort((a, b) => b.number - a.number);
      this.#drawExecutions(executions, this.rows.of("output", session));
      this.#follow(executions);
    }
  }

  /** The editor shows the newest script that ran, unless it has been edited. @param {Row[]} executions */
  #follow(executions) {
    const newest = executions[0];
    if (this.#waitsFor !== null && newest?.number > this.#waitsFor && ENDED.has(newest.status)) {
      this.#waitsFor = null;
      if (newest.status === "ok") this.say(`In[${newest.number}] has run: ${this.player?.unit} does this now.`, "");
      else this.say(newest.error ?? newest.status, "wrong");
    }
    const script = executions.find((each) => each.status === "ok" && isScript(each.code));
    if (!script || script.key === this.#shown || this.#isEdited) return;
    this.#shown = script.key;
    this.code.value = script.code.trimEnd();
  }

  #run() {
    if (!this.player) return;
    const numbers = this.rows.of("execution", this.player.session).map((each) => each.number);
    this.#waitsFor = Math.max(0, ...numbers);
    this.#isEdited = false;
    this.say("It is on its way …", "");
    this.rows.execute(this.player.session, this.code.value);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#run();
    }
  }

  /** @param {string} words @param {"" | "wrong"} kind */
  say(words, kind) {
    get("outcome").textContent = words;
    get("outcome").className = kind;
  }

  /** @param {Row[]} variables */
  #drawVariables(variables) {
    const shown = variables.filter(isShown).sort((a, b) => place(a) - place(b));
    const body = get("variables").querySelector("tbody");
    body?.replaceChildren(
      ...shown.map((each) => {
        const row = make("tr", "", each.name === "problem" && each.type !== "NoneType" ? "wrong" : "");
        row.dataset.name = each.name;
        row.append(make("th", each.name), make("td", each.preview));
        return row;
      }),
    );
  }

  /** @param {Row[]} executions @param {Row[]} outputs */
  #drawExecutions(executions, outputs) {
    get("executions").replaceChildren(
      ...executions.slice(0, SHOWN).map((each) => {
        const item = make("li", "", each.status);
        const head = make("div", "", "bar");
        head.append(make("span", `In[${each.number}]`, "number"), make("span", `${each.author ?? ""} ${each.status}`));
        item.append(head, make("pre", each.code.trimEnd()));
        const printed = outputs.filter((one) => one.execution === each.execution && one.kind === "stream");
        const said = printed.sort((a, b) => a.place - b.place).map((one) => one.text).join("");
        for (const text of [said, each.result, each.error]) if (text) item.append(make("pre", text, "said"));
        return item;
      }),
    );
  }
}

const ENDED = new Set(["ok", "error", "interrupted", "cancelled", "died", "timeout"]);
const FIRST = ["heading", "me", "others", "food", "problem"];

/** @param {Row} variable */
function place(variable) {
  const found = FIRST.indexOf(variable.name);
  return found === -1 ? FIRST.length : found;
}

/** @param {Row} variable */
function isShown(variable) {
  return !LEFT_OUT.has(variable.type) && !variable.name.startsWith("_");
}

/** @param {string} code */
function isScript(code) {
  return /^def steer\(/m.test(code) && !code.includes("async def drive");
}

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
