// The files of the folder that the server watches, as far as this session uses them.
import { computed, signal } from "@preact/signals";

import type { ReloadMode, ScriptEntry, ScriptKind, ScriptListReply, SessionEvent } from "./messages.ts";

type Ask = () => Promise<ScriptListReply>;

export interface Standing {
  word: "not loaded" | "loaded" | "changed on disk" | "deleted";
  isBehind: boolean;
}

const REFRESH_MS = 100;
const NOTHING: ScriptListReply = { watching: false, scripts: [], refused: [] };

/** What a person is told of a file: whether the session has it, and has it as it is on the disk. */
export function standing({ version, loaded }: ScriptEntry): Standing {
  if (version === null) return { word: "deleted", isBehind: false };
  if (loaded === null) return { word: "not loaded", isBehind: false };
  return loaded === version ? { word: "loaded", isBehind: false } : { word: "changed on disk", isBehind: true };
}

/** Those to offer for reloading: each version once, and none that reloads by itself. */
export function offered(scripts: readonly ScriptEntry[], answered: ReadonlySet<string>): ScriptEntry[] {
  return scripts.filter((each) =>
    standing(each).isBehind && each.reload === "ask" && !answered.has(versionName(each)));
}

/** Whether the list may be another one after this event. */
export function concerns(event: SessionEvent): boolean {
  switch (event.type) {
    case "execution.queued": return event.data.script !== undefined;
    case "script.changed":
    case "script.mode":
    case "state.reset":
    case "execution.finished": return true; // its code may have imported one
    default: return false;
  }
}

export function versionName({ path, version }: ScriptEntry): string {
  return `${path}@${version}`;
}

export class WatchedScripts {
  readonly list = signal<ScriptListReply>(NOTHING);
  readonly answered = signal<ReadonlySet<string>>(new Set());
  readonly offers = computed(() => offered(this.list.value.scripts, this.answered.value));
  readonly #ask: Ask;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async refresh(): Promise<void> {
    this.list.value = await this.#ask();
  }

  /** Asks again soon, once for many events; a server that watches nothing is left alone. */
  receive(event: SessionEvent): void {
    if (!this.list.value.watching || !concerns(event) || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.refresh().catch(() => {}); // the next event or join asks again
    }, REFRESH_MS);
  }

  /** Somebody here has decided about this version. */
  answer(entry: ScriptEntry): void {
    this.answered.value = new Set([...this.answered.value, versionName(entry)]);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

export interface Load {
  path: string;
  kind?: ScriptKind;
  reload?: ReloadMode;
}
