// Python with its colours, as plain text in spans.
import { pythonLanguage } from "@codemirror/lang-python";
import { classHighlighter, highlightCode } from "@lezer/highlight";

// Longer code is shown without colours: parsing it would hold up the page.
const COLOURED_LENGTH = 50_000;

export function CodeText({ code }: { code: string }) {
  return <>{code.length > COLOURED_LENGTH ? code : coloured(code)}</>;
}

type Piece = { text: string; classes: string };

const known = new Map<string, Piece[]>();

function coloured(code: string) {
  return pieces(code).map(({ text, classes }, index) =>
    classes ? <span key={index} class={classes}>{text}</span> : text);
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
