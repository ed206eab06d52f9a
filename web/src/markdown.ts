// The part of Markdown that outputs use, as a tree of plain text: no markup passes through. Pure.

export type Inline =
  | { kind: "text" | "code" | "strong" | "emphasis"; text: string }
  | { kind: "link"; text: string; address: string };

export type Block =
  | { kind: "heading"; level: number; content: Inline[] }
  | { kind: "paragraph"; content: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "quote"; content: Inline[] }
  | { kind: "list"; ordered: boolean; items: Inline[][] }
  | { kind: "rule" };

const INLINE =
  /(`+)([^`]+)\1|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\b_([^_\s][^_]*)_\b|\[([^\]]+)\]\((https?:[^\s)]+)\)/g;
const LIST_ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;

export function parseMarkdown(text: string): Block[] {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const [block, used] = readBlock(lines, at);
    if (block) blocks.push(block);
    at += used;
  }
  return blocks;
}

function readBlock(lines: readonly string[], at: number): [Block | null, number] {
  const line = lines[at] ?? "";
  if (line.trim() === "") return [null, 1];
  const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
  if (heading) {
    return [{ kind: "heading", level: heading[1]?.length ?? 1, content: inline(heading[2] ?? "") }, 1];
  }
  if (/^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) return [{ kind: "rule" }, 1];
  if (line.startsWith("```")) return readFence(lines, at);
  if (line.startsWith(">")) {
    const quoted = take(lines, at, (each) => each.startsWith(">"));
    const text = quoted.map((each) => each.replace(/^>\s?/, "")).join(" ");
    return [{ kind: "quote", content: inline(text) }, quoted.length];
  }
  if (LIST_ITEM.test(line)) {
    const items = take(lines, at, (each) => LIST_ITEM.test(each));
    const content = items.map((each) => inline(LIST_ITEM.exec(each)?.[2] ?? ""));
    return [{ kind: "list", ordered: LIST_ITEM.exec(line)?.[1] !== undefined, items: content }, items.length];
  }
  const paragraph = take(lines, at, (each) =>
    each.trim() !== "" && !/^(?:#{1,6}\s|```|>)/.test(each) && !LIST_ITEM.test(each));
  return [{ kind: "paragraph", content: inline(paragraph.join(" ")) }, Math.max(1, paragraph.length)];
}

function readFence(lines: readonly string[], at: number): [Block, number] {
  const close = lines.findIndex((line, index) => index > at && line.startsWith("```"));
  const end = close < 0 ? lines.length : close;
  return [{ kind: "code", text: lines.slice(at + 1, end).join("\n") }, end - at + 1];
}

function take(lines: readonly string[], at: number, wanted: (line: string) => boolean): string[] {
  let end = at;
  while (end < lines.length && wanted(lines[end] ?? "")) end++;
  return lines.slice(at, end);
}

export function inline(text: string): Inline[] {
  const found: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    from = match.index + match[0].length;
    const [, , code, strong, strong2, emphasis, emphasis2, label, address] = match;
    if (code !== undefined) found.push({ kind: "code", text: code });
    else if (strong ?? strong2) found.push({ kind: "strong", text: strong ?? strong2 ?? "" });
    else if (emphasis ?? emphasis2) found.push({ kind: "emphasis", text: emphasis ?? emphasis2 ?? "" });
    else found.push({ kind: "link", text: label ?? "", address: address ?? "" });
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}
