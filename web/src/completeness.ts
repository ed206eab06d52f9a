// Whether Enter may run code without asking the interpreter first; also the answer while offline. Pure.

export type Verdict = "complete" | "incomplete" | "ask";

const COMPOUND =
  /^(?:async|class|def|for|if|match|try|while|with|elif|else|except|finally|case|@)(?![\w])|^@/;

/** "complete" only where Python is sure to agree: one statement that opens nothing. */
export function quickVerdict(code: string): Verdict {
  const { depth, openString, continued, lastLine } = scan(code);
  if (depth > 0 || openString || continued) return "incomplete";
  if (depth < 0) return "ask";
  const text = code.trim();
  if (text.endsWith(":")) return "incomplete";
  // Inside a block: only an empty line ends it.
  if (/^[ \t]+\S/.test(code.slice(lastLine))) return "incomplete";
  return text.includes("\n") || COMPOUND.test(text) ? "ask" : "complete";
}

/** The best guess when nobody can be asked: an indented block ends with an empty line. */
export function offlineVerdict(code: string): "complete" | "incomplete" {
  const verdict = quickVerdict(code);
  if (verdict !== "ask") return verdict;
  const lines = code.split("\n");
  const last = lines.at(-1) ?? "";
  const inBlock = COMPOUND.test(code.trim()) || lines.some((line) => /^\s+\S/.test(line));
  return inBlock && last.trim() !== "" && (/^\s/.test(last) || COMPOUND.test(last))
    ? "incomplete" : "complete";
}

/** The indentation of the next line, as an editor would guess it. */
export function nextIndent(code: string): string {
  const last = code.slice(code.lastIndexOf("\n") + 1);
  const indent = /^[ \t]*/.exec(last)?.[0] ?? "";
  return last.trimEnd().endsWith(":") ? `${indent}    ` : indent;
}

interface Scan {
  depth: number;
  openString: boolean;
  continued: boolean;
  lastLine: number; // where the last logical line begins
}

function scan(code: string): Scan {
  let depth = 0;
  let at = 0;
  let negative = false;
  let lastLine = 0;
  while (at < code.length) {
    const char = code[at] ?? "";
    if (char === "#") {
      const end = code.indexOf("\n", at);
      at = end < 0 ? code.length : end;
    } else if (char === "'" || char === '"') {
      const end = endOfString(code, at, char);
      if (end < 0) return { depth, openString: true, continued: false, lastLine };
      at = end;
    } else {
      if ("([{".includes(char)) depth++;
      if (")]}".includes(char) && --depth < 0) negative = true;
      at++;
      if (char === "\n" && depth === 0 && code[at - 2] !== "\\") lastLine = at;
    }
  }
  const continued = /\\[ \t]*$/.test(code);
  return { depth: negative ? -1 : depth, openString: false, continued, lastLine };
}

/** -1: a triple-quoted string that is not closed; a plain one ends with its line. */
function endOfString(code: string, from: number, quote: string): number {
  const triple = code.startsWith(quote.repeat(3), from);
  const closing = triple ? quote.repeat(3) : quote;
  for (let at = from + closing.length; at < code.length; at++) {
    if (code[at] === "\\") at++;
    else if (code.startsWith(closing, at)) return at + closing.length;
    else if (!triple && code[at] === "\n") return at;
  }
  return triple ? -1 : code.length;
}
