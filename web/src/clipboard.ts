// Puts text into the clipboard, and says so.
import { bytes } from "./format.ts";
import type { Path } from "./messages.ts";
import { inform } from "./notices.ts";
import type { OpenSession } from "./open_session.ts";
import { outputText } from "./output_text.ts";
import { pythonExpression } from "./paths.ts";
import type { ExecutionView } from "./session.ts";

export async function copy(text: string, said = "Copied."): Promise<void> {
  await navigator.clipboard.writeText(text);
  inform(said);
}

export async function copyOutput({ items, number }: ExecutionView): Promise<void> {
  const { text, hiddenBytes } = outputText(items);
  if (text === "") return inform(`In[${number}] has no output.`);
  await copy(text, hiddenBytes > 0 ? `Copied what is shown; ${bytes(hiddenBytes)} are not.` : "Output copied.");
}

/** The whole value as Python writes it, not the preview. */
export async function copyValue(open: OpenSession, path: Path): Promise<void> {
  await copy((await open.call("variable.repr", { path })).text, `The value of ${pythonExpression(path)} is copied.`);
}

export async function copyPath(path: Path): Promise<void> {
  await copy(pythonExpression(path), `${pythonExpression(path)} is copied.`);
}
