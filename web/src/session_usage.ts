// What the open session may use and uses: asked for while code runs, and after it ran.
import { computed, signal } from "@preact/signals";

import type { SessionEvent, SessionUsageReply } from "./messages.ts";
import { meters } from "./usage.ts";

const SOON_MS = 500;
const RUNNING_MS = 2000;

export class SessionUsage {
  readonly told = signal<SessionUsageReply | null>(null);
  readonly meters = computed(() => (this.told.value ? meters(this.told.value) : []));
  readonly #ask: () => Promise<SessionUsageReply>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRunning = false;

  constructor(ask: () => Promise<SessionUsageReply>) {
    this.#ask = ask;
  }

  async refresh(): Promise<void> {
    this.told.value = await this.#ask();
  }

  receive({ type, data }: SessionEvent): void {
    if (type === "execution.started") this.#later(RUNNING_MS);
    if (type === "execution.finished" || type === "process.state") this.#later(SOON_MS);
    if (type === "process.state") this.#isRunning = data.state === "busy";
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Once for many events, and again as long as code runs; a page that nobody sees asks for nothing. */
  #later(ms: number): void {
    this.#timer ??= setTimeout(async () => {
      if (!document.hidden) await this.refresh().catch(() => {}); // an older server has no such call
      this.#timer = undefined;
      if (this.#isRunning) this.#later(RUNNING_MS);
    }, ms);
  }
}
