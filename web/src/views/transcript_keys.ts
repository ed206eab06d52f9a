// Single keys in the transcript: from one execution to the next, its code into the editor or the clipboard.
import type { Virtualizer } from "@tanstack/virtual-core";

import { copy, copyOutput } from "../clipboard.ts";
import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import type { Segment, TranscriptRow } from "./segments.ts";

export function transcriptKeys(
  open: OpenSession, scroller: { current: HTMLElement | null },
  virtualizer: Virtualizer<HTMLElement, HTMLElement>, rows: () => TranscriptRow[],
): () => void {
  const element = scroller.current;
  const pressed = (event: KeyboardEvent) => {
    if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
    const known = rows();
    const starts = known.flatMap((row, index) => row.kind === "segment" && row.first ? [index] : []);
    const at = starts.findIndex((index) => keyAt(known, index) === open.selected.value);
    const selected = known[starts[at] ?? -1] as Segment | undefined;
    const select = (next: number) => {
      const index = starts[Math.max(0, Math.min(starts.length - 1, next))];
      if (index === undefined) return;
      open.selected.value = keyAt(known, index);
      virtualizer.scrollToIndex(index, { align: "auto" });
    };
    switch (event.key) {
      case "j": select(at < 0 ? starts.length - 1 : at + 1); break;
      case "k": select(at < 0 ? starts.length - 1 : at - 1); break;
      case "i": open.focusEditor(); break;
      case "e": if (selected) open.replaceCode(selected.execution.code); break;
      case "y": if (selected) attempt(() => copy(selected.execution.code, "Code copied.")); break;
      case "o": if (selected) attempt(() => copyOutput(selected.execution)); break;
      case "v": open.focusVariables(); break;
      default: return;
    }
    event.preventDefault();
  };
  element?.addEventListener("keydown", pressed);
  return () => element?.removeEventListener("keydown", pressed);
}

function keyAt(rows: readonly TranscriptRow[], index: number): string | null {
  const row = rows[index];
  return row?.kind === "segment" ? row.execution.execution : null;
}
