// The output of one execution as plain text, for the clipboard. Pure.
import { plainText } from "./ansi.ts";
import { settleLines, type Item, type TextItem } from "./outputs.ts";

export interface OutputText {
  text: string;
  hiddenBytes: number; // printed, but not among what is shown
}

export function outputText(items: readonly Item[]): OutputText {
  let text = "";
  let hiddenBytes = 0;
  for (const item of items) {
    if (item.kind !== "text" && text !== "" && !text.endsWith("\n")) text += "\n";
    switch (item.kind) {
      case "text": text += printed(item); break;
      case "gap":
        hiddenBytes += item.hiddenBytes;
        text += `…\n${item.tail.map(printed).join("")}`;
        break;
      case "omitted": hiddenBytes += item.bytes; break;
      case "rich": text += plainForm(item.bundle["text/plain"]); break;
      case "error": text += errorText(item); break;
      case "input": text += plainText(item.prompt) + (item.password ? "" : item.text ?? ""); break;
    }
  }
  return { text: text.replace(/\n$/, ""), hiddenBytes };
}

function printed({ text }: TextItem): string {
  return plainText(settleLines(text));
}

function plainForm(value: unknown): string {
  const text = Array.isArray(value) ? value.join("") : typeof value === "string" ? value : "";
  return text === "" ? "" : `${plainText(text)}\n`;
}

function errorText({ traceback, name, message }: Extract<Item, { kind: "error" }>): string {
  const lines = traceback.length ? traceback : [`${name}: ${message}`];
  return `${plainText(lines.map((line) => line.replace(/\n$/, "")).join("\n"))}\n`;
}
