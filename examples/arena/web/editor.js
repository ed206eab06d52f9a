// The script of a player: what is there to be changed, how it is sent, and what became of it.

import { get, make } from "./dom.js";

/** @typedef {import("./rows.js").Row} Row */

const SOON_MS = 3000;
const ENDED = new Set(["ok", "error", "interrupted", "cancelled", "died", "timeout"]);

export class Editor {
  #code = /** @type {HTMLTextAreaElement} */ (get("code"));
  #isEdited = false;
  #unit = "";
  /** The execution that it shows. @type {string | null} */
  #shown = null;
  /** The command that has not ended. @type {string | null} */
  #command = null;
  #problem = "";

  /** @param {Record<string, string>} scripts @param {(code: string, key: string) => void} send */
  constructor(scripts, send) {
    this.send = send;
    this.#code.oninput = () => (this.#isEdited = true);
    this.#code.onkeydown = (event) => this.#key(event);
    get("editor").onsubmit = (event) => {
      event.preventDefault();
      this.#run();
    };
    get("scripts").replaceChildren(...Object.entries(scripts).map(([name, code]) => this.#chip(name, code)));
  }

  /** @param {string} name @param {string} code */
  #chip(name, code) {
    const chip = make("button", name, "chip");
    chip.setAttribute("type", "button");
    chip.onclick = () => {
      this.#code.value = code.trimEnd();
      this.#run();
    };
    return chip;
  }

  /** Another player. @param {string} unit */
  open(unit) {
    this.#unit = unit;
    this.#isEdited = false;
    this.#shown = this.#command = null;
    this.#problem = "";
    this.say("");
  }

  /**
   * Says what became of our command, and shows the script that ran last, unless it is being edited.
   * @param {Row[]} executions the newest first
   * @param {Row[]} results of commands
   */
  follow(executions, results) {
    const result = results.find((each) => each.command === this.#command);
    const execution = executions.find((each) => each.execution === result?.execution);
    if (result && !result.ok) {
      this.#command = null;
      this.say(result.message, true);
    } else if (execution && ENDED.has(execution.status)) {
      this.#command = null;
      this.#tell(execution);
    }
    const script = executions.find((each) => each.status === "ok" && isScript(each.code));
    if (!script || script.key === this.#shown || this.#isEdited) return;
    this.#shown = script.key;
    this.#code.value = script.code.trimEnd();
  }

  /** @param {Row} execution */
  #tell({ number, status, error, code }) {
    if (status !== "ok") this.say(error ?? status, true);
    else if (isScript(code)) this.say(`In[${number}] has run: ${this.#unit} does this now.`);
    else this.say(`In[${number}] has run.`);
  }

  #run() {
    const command = (this.#command = crypto.randomUUID());
    this.#isEdited = false;
    this.say("It is on its way …");
    this.send(this.#code.value, command);
    setTimeout(() => {
      if (this.#command === command) this.say("It has not ended yet. Where a script never does, restart the session.");
    }, SOON_MS);
  }

  /** What steer() raises at the moment, which counts more than that it has been defined. @param {string} words */
  fails(words) {
    if (this.#command || words === this.#problem) return;
    this.#problem = words;
    if (words) this.say(`steer() fails: ${words}`, true);
    else this.say("");
  }

  /** @param {string} words @param {boolean} [isWrong] */
  say(words, isWrong = false) {
    get("outcome").textContent = words;
    get("outcome").classList.toggle("wrong", isWrong);
  }

  /** Ctrl+Enter runs; Enter goes on as deep as the line before. @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) this.#run();
      else this.#insert(`\n${indentAfter(this.#code.value.slice(0, this.#code.selectionStart))}`);
    } else if (event.key === "Tab" && !event.shiftKey && this.#isEdited) {
      event.preventDefault(); // before the first change, Tab leads out of here as everywhere
      this.#insert("    ");
    }
  }

  /** @param {string} text */
  #insert(text) {
    const { selectionStart, selectionEnd } = this.#code;
    this.#code.setRangeText(text, selectionStart, selectionEnd, "end");
    this.#isEdited = true;
  }
}

/** @param {string} before */
function indentAfter(before) {
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const spaces = /^ */.exec(line)?.[0] ?? "";
  return line.trimEnd().endsWith(":") ? `${spaces}    ` : spaces;
}

/** @param {string} code */
function isScript(code) {
  return /^def steer\(/m.test(code) && !code.includes("async def drive");
}
