// Addresses in printed text, found so that they can be followed. Pure.

export interface LinkPiece {
  text: string;
  address: string | null;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\x00-\x1f\x7f|\\^]+/g;
const LONGEST = 2000;
const CLOSING: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

export function linkPieces(text: string): LinkPiece[] {
  if (!text.includes("://")) return [{ text, address: null }];
  const pieces: LinkPiece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutSentence(match[0]);
    if (address.length > LONGEST || !URL.canParse(address)) continue;
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), address: null });
    pieces.push({ text: address, address });
    from = match.index + address.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), address: null });
  return pieces;
}

/** What ends a sentence, or closes a bracket that was opened before the address, is not part of it. */
function withoutSentence(address: string): string {
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1] ?? "";
    const opening = CLOSING[last];
    const inside = address.slice(0, end - 1);
    if (opening ? count(inside, opening) > count(inside, last) : !".,;:!?*".includes(last)) break;
  }
  return address.slice(0, end);
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}
