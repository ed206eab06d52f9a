// A MIME bundle in its richest form that is safe to show; its plain text is one click away.
import { useSignal } from "@preact/signals";

import type { MimeBundle } from "../messages.ts";
import { AnsiText } from "./ansi_text.tsx";
import { HtmlFrame } from "./html_frame.tsx";
import { MarkdownText } from "./markdown_text.tsx";

const ORDER = [
  "text/html", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp",
  "text/markdown", "application/json", "text/latex", "text/plain",
];
const LONG_TEXT = 20_000;

export function RichOutput({ bundle, result }: { bundle: MimeBundle; result: boolean }) {
  const plain = useSignal(false);
  const best = ORDER.find((type) => type in bundle) ?? Object.keys(bundle)[0] ?? "text/plain";
  const shown = plain.value ? "text/plain" : best;
  const hasOther = best !== "text/plain" && "text/plain" in bundle;
  return (
    <div class={`rich ${result ? "result" : "display"}`} data-testid={result ? "result" : "display"} data-mime={shown}>
      <Form type={shown} bundle={bundle} />
      {hasOther && (
        <button class="link form-switch" onClick={() => { plain.value = !plain.value; }}>
          {plain.value ? best : "as text"}
        </button>
      )}
    </div>
  );
}

function Form({ type, bundle }: { type: string; bundle: MimeBundle }) {
  const value = bundle[type];
  switch (type) {
    case "text/html":
      return <HtmlFrame bundle={bundle} html={textOf(value)} />;
    case "image/svg+xml":
      // As an image its scripts do not run and it loads nothing.
      return <img class="picture" alt={altOf(bundle)} src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(textOf(value))}`} />;
    case "image/png": case "image/jpeg": case "image/gif": case "image/webp":
      return <img class="picture" alt={altOf(bundle)} src={`data:${type};base64,${textOf(value).replace(/\s/g, "")}`} />;
    case "text/markdown":
      return <MarkdownText text={textOf(value)} />;
    case "application/json":
      return <PlainText text={JSON.stringify(value, null, 2) ?? ""} />;
    default:
      return <PlainText text={textOf(value)} />;
  }
}

function PlainText({ text }: { text: string }) {
  const whole = useSignal(false);
  const cut = !whole.value && text.length > LONG_TEXT;
  return (
    <>
      <pre class="plain-text"><AnsiText text={cut ? text.slice(0, LONG_TEXT) : text} /></pre>
      {cut && (
        <button class="link" onClick={() => { whole.value = true; }}>
          … {(text.length - LONG_TEXT).toLocaleString("en")} more characters · show
        </button>
      )}
    </>
  );
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.join("") : JSON.stringify(value, null, 2) ?? "";
}

function altOf(bundle: MimeBundle): string {
  return textOf(bundle["text/plain"] ?? "picture").slice(0, 200);
}
