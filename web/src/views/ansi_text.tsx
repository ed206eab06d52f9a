// Terminal text with its colours; text nodes only, so nothing in it can become markup.
import type { CSSProperties } from "preact";

import { NO_STYLE, runs, type Style } from "../ansi.ts";

export function AnsiText({ text, style = NO_STYLE }: { text: string; style?: Style }) {
  if (style === NO_STYLE && !text.includes("\x1b") && !/[\x00-\x08]/.test(text)) return <>{text}</>;
  return (
    <>
      {runs(text, style).map((run, index) => run.style === NO_STYLE
        ? run.text
        : <span key={index} class={classesOf(run.style)} style={coloursOf(run.style)}>{run.text}</span>)}
    </>
  );
}

function classesOf(style: Style): string {
  const [front, back] = style.inverse
    ? [style.background ?? "ground", style.foreground ?? "text"]
    : [style.foreground, style.background];
  return [
    front && !front.startsWith("#") && `ansi-${front}`,
    back && !back.startsWith("#") && `ansi-on-${back}`,
    style.bold && "ansi-bold", style.dim && "ansi-dim", style.italic && "ansi-italic",
    style.underline && "ansi-underline", style.strike && "ansi-strike",
  ].filter(Boolean).join(" ");
}

function coloursOf(style: Style): CSSProperties {
  const [front, back] = style.inverse
    ? [style.background, style.foreground] : [style.foreground, style.background];
  return {
    ...(front?.startsWith("#") ? { color: front } : {}),
    ...(back?.startsWith("#") ? { backgroundColor: back } : {}),
  };
}
