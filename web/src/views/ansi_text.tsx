// Terminal text with its colours and links; text nodes only, so nothing in it can become markup.
import type { CSSProperties } from "preact";

import { NO_STYLE, runs, type Style } from "../ansi.ts";
import { linkPieces } from "../links.ts";

export function AnsiText({ text, style = NO_STYLE }: { text: string; style?: Style }) {
  if (style === NO_STYLE && !text.includes("\x1b") && !/[\x00-\x08]/.test(text)) return <Linked text={text} />;
  return (
    <>
      {runs(text, style).map((run, index) => run.style === NO_STYLE
        ? <Linked key={index} text={run.text} />
        : <span key={index} class={classesOf(run.style)} style={coloursOf(run.style)}><Linked text={run.text} /></span>)}
    </>
  );
}

function Linked({ text }: { text: string }) {
  if (!text.includes("://")) return <>{text}</>;
  return (
    <>
      {linkPieces(text).map(({ text: piece, address }, index) => address === null ? piece : (
        <a key={index} href={address} target="_blank" rel="noopener noreferrer" data-testid="output-link">{piece}</a>
      ))}
    </>
  );
}

function classesOf(style: Style): string {
  const [front, back] = style.inverse
    ? [style.background ?? (style.foreground === null || style.foreground.startsWith("#") ? "ground" : null), style.foreground ?? "text"]
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
