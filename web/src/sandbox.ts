// Page ⇄ sandboxed output: what the two may tell each other. Pure.

export interface ToSandbox {
  html: string;
  dark: boolean;
}

export type FromSandbox =
  | { kind: "ready" }
  | { kind: "height"; height: number }
  | { kind: "link"; address: string };

export const MIN_HEIGHT = 20;
export const MAX_HEIGHT = 640;
const ADDRESS_LENGTH = 2000;
const MESSAGES_A_SECOND = 300; // an animation that changes its height at each frame sends 60

/** What stands in the sandbox may send anything: only these three, checked, mean something. */
export function readMessage(data: unknown): FromSandbox | null {
  if (typeof data !== "object" || data === null) return null;
  const { kind, height, address } = data as Record<string, unknown>;
  if (kind === "ready") return { kind };
  if (kind === "height" && typeof height === "number" && Number.isFinite(height)) {
    return { kind, height: Math.min(MAX_HEIGHT, Math.max(MIN_HEIGHT, Math.ceil(height))) };
  }
  if (kind === "link" && typeof address === "string") return readLink(address);
  return null;
}

/** Only to the web or to a mailbox: javascript: and data: would run in the page's name. */
function readLink(address: string): FromSandbox | null {
  if (address.length > ADDRESS_LENGTH) return null;
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol)
      ? { kind: "link", address: url.href } : null;
  } catch {
    return null;
  }
}

/** How many messages came from one sandbox in the last second. */
export class MessageCount {
  #since = 0;
  #count = 0;

  isTooMany(nowMs: number): boolean {
    if (nowMs - this.#since > 1000) {
      this.#since = nowMs;
      this.#count = 0;
    }
    return ++this.#count > MESSAGES_A_SECOND;
  }
}
