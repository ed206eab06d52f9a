// The keys, on one page.
import { Modal } from "./modal.tsx";

const MAC = navigator.platform.startsWith("Mac");
const MOD = MAC ? "⌘" : "Ctrl";

const GROUPS: [string, [string, string][]][] = [
  ["Run", [
    ["Enter", "run when the code is complete, else a new line"],
    ["Shift Enter", "run, whatever it is"],
    [`${MOD} Enter`, "run and keep the code in the editor"],
    ["Alt Enter", "new line, always"],
    ["Ctrl C", "interrupt, when nothing is selected"],
  ]],
  ["Write", [
    ["Tab", "complete; indent at the start of a line; in an empty editor, move on"],
    ["Shift Tab", "signature and documentation"],
    ["↑ ↓", "history, from the first and last line; what stands before the cursor filters"],
    ["Ctrl R", "search the history"],
    ["Ctrl L", "clear the view; nothing is forgotten"],
    ["Esc", "leave the editor for the transcript"],
  ]],
  ["Transcript", [
    ["j k", "next, previous execution"],
    ["e", "put its code into the editor"],
    ["y o", "copy its code, its output"],
    ["v", "to the variables"],
    ["i", "back to the editor"],
  ]],
  ["Variables", [
    ["↑ ↓ → ←", "move, open, close"],
    ["Enter", "change the value"],
    ["Space", "its page: whole text, history, who wrote it"],
    ["c Enter", "there, at a change: compare from here; show who made it"],
    ["y p", "copy the value, the path"],
    ["w", "watch it, or another expression, while code runs"],
    ["Delete", "delete, after asking"],
    ["Esc", "back to the editor"],
  ]],
  ["Everywhere", [
    [`${MOD} K`, "every command"],
    [`${MOD} J`, "show or hide the variables"],
    ["?", "this help"],
    ["n  /", "in the list of sessions: new, filter"],
  ]],
];

export function HelpDialog() {
  return (
    <Modal title="Keys" name="help" wide>
      <div class="help-groups">
        {GROUPS.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, meaning]) => (
                <div key={key}>
                  <dt>{key.split(" ").filter(Boolean).map((part) => <kbd key={part}>{part}</kbd>)}</dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
