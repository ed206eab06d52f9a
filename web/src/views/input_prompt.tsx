// A question of input(): answered in place by whoever may.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import type { InputItem } from "../outputs.ts";
import { AnsiText } from "./ansi_text.tsx";

export function InputPrompt({ item, open }: { item: InputItem; open: OpenSession }) {
  if (item.state === "waiting" && open.editing.value) return <Question item={item} open={open} />;
  const answer = item.password && item.state === "answered" ? "••••••" : item.text ?? "";
  return (
    <p class="input-line" data-testid="input-line">
      <span class="input-prompt"><AnsiText text={item.prompt} /></span>
      {item.state === "waiting" && <span class="quiet">waits for an answer</span>}
      {item.state === "answered" && <span class="input-answer">{answer}</span>}
      {item.state === "cancelled" && <span class="quiet">not answered</span>}
    </p>
  );
}

function Question({ item: { request, prompt, password }, open }: { item: InputItem; open: OpenSession }) {
  const text = useSignal("");
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Whoever types something else keeps the focus.
    if (!open.hasDraft()) box.current?.focus();
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    attempt(async () => {
      await open.call("input.reply", { request, text: text.value });
      open.focusEditor();
    });
  };
  const pressed = (event: KeyboardEvent) => {
    const nothingSelected = box.current?.selectionStart === box.current?.selectionEnd;
    if (event.ctrlKey && event.key === "c" && nothingSelected) {
      event.preventDefault();
      attempt(() => open.interrupt());
    }
  };
  const field = {
    ref: box, value: text.value, autocomplete: "off", spellcheck: false, onKeyDown: pressed,
    "aria-label": prompt || "The program asks for input", "data-testid": "input-field",
    onInput: () => { text.value = box.current?.value ?? ""; },
  };
  return (
    <form class="input-line asking" onSubmit={submit} data-testid="input-form">
      <label>
        <span class="input-prompt"><AnsiText text={prompt} /></span>
        {password ? <input {...field} type="password" /> : <input {...field} type="text" />}
      </label>
      <button class="small" data-testid="input-send">Answer</button>
    </form>
  );
}
