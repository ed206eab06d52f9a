// Terminal colours as runs of plain text: no markup is ever made of what a session prints. Pure.

export interface Style {
  foreground: string | null; // a class ("red", "bright-red") or "#rrggbb"
  background: string | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
  inverse: boolean;
}

export interface Run {
  text: string;
  style: Style;
}

export const NO_STYLE: Style = {
  foreground: null, background: null, bold: false, dim: false, italic: false, underline: false,
  strike: false, inverse: false,
};

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const CUBE = [0, 95, 135, 175, 215, 255];

// CSI sequences (ECMA-48, 5.4), OSC strings, and the two-byte escapes; an unfinished one stays hidden.
const ESCAPE =
  /\x1b(?:\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e])|\[[\x20-\x3f]*$|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[\x20-\x2f]*[\x30-\x5a\x5c-\x7e]|$)/g;
const INVISIBLE = /[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/g;

export function runs(text: string, start: Style = NO_STYLE): Run[] {
  const found: Run[] = [];
  let style = start;
  let from = 0;
  const push = (to: number) => {
    const shown = text.slice(from, to).replace(INVISIBLE, "");
    if (shown !== "") found.push({ text: shown, style });
  };
  if (text.includes("\x1b")) {
    for (const match of text.matchAll(ESCAPE)) {
      push(match.index);
      from = match.index + match[0].length;
      if (match[2] === "m") style = selectGraphicRendition(style, match[1] ?? "");
    }
  }
  push(text.length);
  return found;
}

export function styleAfter(text: string, start: Style): Style {
  if (!text.includes("\x1b")) return start;
  let style = start;
  for (const match of text.matchAll(ESCAPE)) {
    if (match[2] === "m") style = selectGraphicRendition(style, match[1] ?? "");
  }
  return style;
}

export function plainText(text: string): string {
  return text.replace(ESCAPE, "").replace(INVISIBLE, "");
}

function selectGraphicRendition(style: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map((code) => Number(code || "0"));
  let next = style;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extendedColour(codes, i + 1);
      next = code === 38 ? { ...next, foreground: colour } : { ...next, background: colour };
      i += used;
    } else {
      next = applyCode(next, code);
    }
  }
  return next;
}

function applyCode(style: Style, code: number): Style {
  switch (code) {
    case 0: return NO_STYLE;
    case 1: return { ...style, bold: true };
    case 2: return { ...style, dim: true };
    case 3: return { ...style, italic: true };
    case 4: return { ...style, underline: true };
    case 7: return { ...style, inverse: true };
    case 9: return { ...style, strike: true };
    case 22: return { ...style, bold: false, dim: false };
    case 23: return { ...style, italic: false };
    case 24: return { ...style, underline: false };
    case 27: return { ...style, inverse: false };
    case 29: return { ...style, strike: false };
    case 39: return { ...style, foreground: null };
    case 49: return { ...style, background: null };
  }
  if (code >= 30 && code <= 37) return { ...style, foreground: NAMES[code - 30] ?? null };
  if (code >= 40 && code <= 47) return { ...style, background: NAMES[code - 40] ?? null };
  if (code >= 90 && code <= 97) return { ...style, foreground: `bright-${NAMES[code - 90]}` };
  if (code >= 100 && code <= 107) return { ...style, background: `bright-${NAMES[code - 100]}` };
  return style;
}

function extendedColour(codes: number[], at: number): [string | null, number] {
  if (codes[at] === 5) return [paletteColour(codes[at + 1] ?? 0), 2];
  if (codes[at] === 2) {
    return [hex(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), 4];
  }
  return [null, codes.length];
}

function paletteColour(index: number): string | null {
  if (index < 8) return NAMES[index] ?? null;
  if (index < 16) return `bright-${NAMES[index - 8]}`;
  if (index < 232) {
    const at = index - 16;
    const channel = (step: number) => CUBE[Math.floor(at / step) % 6] ?? 0;
    return hex(channel(36), channel(6), channel(1));
  }
  const grey = 8 + (Math.min(index, 255) - 232) * 10;
  return hex(grey, grey, grey);
}

function hex(...channels: number[]): string {
  return "#" + channels.map((c) => Math.min(255, c).toString(16).padStart(2, "0")).join("");
}
