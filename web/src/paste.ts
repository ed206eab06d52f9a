// Cleans code that is pasted from a console, a notebook or an indented listing. Pure.

const PROMPT = /^\s*(?:>>> ?|\.\.\.(?: |$)|In \[\d+\]: ?| +\.\.\.: ?)/;
const FIRST_PROMPT = /^\s*(?:>>>|In \[\d+\]:)/;

export function cleanPaste(text: string): string {
  const lines = text.replace(/\r\n?/g, "\n").replace(/\u00a0/g, " ").split("\n");
  const first = lines.find((line) => line.trim() !== "");
  if (first === undefined || lines.length === 1 && !FIRST_PROMPT.test(first)) return lines.join("\n");
  return FIRST_PROMPT.test(first) ? withoutPrompts(lines) : dedent(lines);
}

/** Lines without a prompt are what the console printed: they are not code. */
function withoutPrompts(lines: string[]): string {
  return lines
    .filter((line) => PROMPT.test(line))
    .map((line) => line.replace(PROMPT, ""))
    .join("\n")
    .replace(/\n+$/, "");
}

function dedent(lines: string[]): string {
  const filled = lines.filter((line) => line.trim() !== "");
  const indents = filled.map((line) => /^[ \t]*/.exec(line)?.[0] ?? "");
  const shared = indents.reduce(sharedPrefix);
  if (shared === "") return lines.join("\n");
  return lines.map((line) => (line.startsWith(shared) ? line.slice(shared.length) : "")).join("\n");
}

function sharedPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
