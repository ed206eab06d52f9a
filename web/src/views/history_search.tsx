// Ctrl+R: what was executed before, searched backwards.
import { count } from "../format.ts";
import { search } from "../history.ts";
import type { OpenSession } from "../open_session.ts";
import { CodeText } from "./code_text.tsx";
import { closeDialog, Modal } from "./modal.tsx";
import { Picker } from "./picker.tsx";

export function SearchDialog({ open }: { open: OpenSession }) {
  const codes = open.session.value?.executions.map((each) => each.code) ?? [];
  const take = (code: string) => {
    closeDialog();
    open.replaceCode(code);
  };
  return (
    <Modal title="Search the history" name="search" bare>
      <div onKeyDown={(event) => { if (event.ctrlKey && event.key === "g") closeDialog(); }}>
        <Picker placeholder="Search what was executed" name="search" keyOf={(code) => code}
          items={(query) => search(codes, query)} take={take} nothing="Nothing executed has this in it."
          draw={(code) => <pre class="code history-code"><CodeText code={firstLines(code)} /></pre>} />
      </div>
    </Modal>
  );
}

function firstLines(code: string): string {
  const lines = code.split("\n");
  return lines.length > 4 ? [...lines.slice(0, 4), `# … ${count(lines.length - 4, "more line")}`].join("\n") : code;
}
