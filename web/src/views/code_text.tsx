// Python with its colours, as plain text in spans.
import { pythonLanguage } from "@codemirror/lang-python";
import { classHighlighter, highlightCode } from "@lezer/highlight";

// Longer code is shown without colours: parsing it would hold up the page.
const COLOURED_LENGTH = 50_000;

/** `running`: the line that runs now, which is marked. */
export function CodeText({ code, running = null }: { code: string; running?: number | null }) {
  if (code.length > COLOURED_LENGTH) return <>{code}</>;
  return <>{running === null ? coloured(pieces(code)) : lines(code).map((line, index) => (
    <span key={index} class={index + 1 === running ? "line running-line" : "line"}
      {...(index + 1 === running ? { "data-testid": "running-line", "data-line": running } : {})}>
      {coloured(line)}
    </span>
  ))}</>;
}

type Piece = { text: string; classes: string };

const known = new Map<string, Piece[]>();

function coloured(text: readonly Piece[]) {
  return text.map(({ text, classes }, index) =>
    classes ? <span key={index} class={classes}>{text}</span> : text);
}

/** The pieces of each line, which is a block of its own. */
function lines(code: string): Piece[][] {
  const found: Piece[][] = [[]];
  for (const { text, classes } of pieces(code)) {
    text.split("\n").forEach((part, index) => {
      if (index > 0) found.push([]);
      if (part) found.at(-1)?.push({ text: part, classes });
    });
  }
  return found;
}

function pieces(code: string): Piece[] {
  const found = known.get(code);
  if (found) return found;
  const made: Piece[] = [];
  const put = (text: string, classes: string) => made.push({ text, classes });
  highlightCode(code, pythonLanguage.parser.parse(code), classHighlighter, put, () => put("\n", ""));
  if (known.size > 300) known.clear();
  known.set(code, made);
  return made;
}
