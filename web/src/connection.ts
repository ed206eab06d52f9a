// Browser ⇄ server: the one file that knows Socket.IO and the server's HTTP paths.
import { io, type Socket } from "socket.io-client";

import type {
  Calls, ErrorCode, LiveMessage, Role, SessionEvent, Variable, WireError,
} from "./messages.ts";

export type Link = "connecting" | "connected" | "disconnected" | "refused";

type Unanswered = "disconnected" | "no_answer";
type Refusal = Omit<WireError, "code"> & { code: ErrorCode | Unanswered };

export class CallRefused extends Error {
  readonly code: ErrorCode | Unanswered;
  readonly hint: string;
  readonly variable: Variable | null;

  constructor({ code, message, hint, variable }: Refusal) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.variable = variable ?? null;
  }

  /** Nobody answered: the call may or may not have been carried out. */
  get unanswered(): boolean {
    return this.code === "disconnected" || this.code === "no_answer";
  }
}

export interface Listener {
  link(link: Link, reason: string): void;
  event(event: SessionEvent): void;
  /** `taken` asks for the next one: it is called when this one was drawn. */
  live(message: LiveMessage, taken: () => void): void;
}

const ANSWER_MS = 30_000;

export class Connection {
  readonly #socket: Socket;
  #closed = false;

  constructor(token: string, listener: Listener) {
    this.#socket = io(new URL(document.baseURI).origin, {
      path: new URL("socket.io/", document.baseURI).pathname,
      auth: { token },
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      reconnectionDelay: 250,
      reconnectionDelayMax: 3000,
      timeout: 10_000,
    });
    this.#socket.on("connect", () => listener.link("connected", ""));
    this.#socket.on("disconnect", (reason) => this.#lost(listener, reason));
    this.#socket.on("connect_error", (error) => {
      // Only a refusal by the server ends the attempts; everything else is tried again by Socket.IO.
      const refused = !this.#socket.active;
      const waitS = refused ? waitOf(error) : 0;
      if (waitS > 0) setTimeout(() => this.reconnect(), waitS * 1000);
      listener.link(refused && waitS === 0 ? "refused" : "disconnected", error.message);
    });
    this.#socket.on("event", (event: SessionEvent) => listener.event(event));
    this.#socket.on("live", (message: LiveMessage, taken: () => void) => listener.live(message, taken));
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  async call<Name extends keyof Calls>(
    name: Name, args: Calls[Name]["args"], timeoutMs = ANSWER_MS,
  ): Promise<Calls[Name]["reply"]> {
    // Socket.IO would keep it and send it later, when nobody wants the answer any more.
    if (!this.#socket.connected) throw unanswered("disconnected", "The server cannot be reached.");
    let answer: { ok?: boolean; error?: WireError } & Calls[Name]["reply"];
    try {
      answer = await this.#socket.timeout(timeoutMs).emitWithAck(name, args);
    } catch {
      throw unanswered("no_answer", `The server did not answer '${name}'.`);
    }
    if (answer?.ok !== true) throw new CallRefused(answer?.error ?? unknownAnswer(name));
    return answer;
  }

  reconnect(): void {
    if (!this.#closed) this.#socket.connect();
  }

  close(): void {
    this.#closed = true;
    this.#socket.removeAllListeners();
    this.#socket.disconnect();
  }

  #lost(listener: Listener, reason: string): void {
    listener.link("disconnected", reason);
    // The server closed it (a share was revoked, or it stops): Socket.IO leaves trying again to us.
    if (reason === "io server disconnect") setTimeout(() => this.reconnect(), 500);
  }
}

/** Others at this address have guessed at tokens: how long the server lets nobody of it in. */
function waitOf(error: Error): number {
  const { retry_after_s: wait } = (error as Error & { data?: { retry_after_s?: unknown } }).data ?? {};
  return error.message === "rate_limited" && typeof wait === "number" ? wait : 0;
}

export interface ExchangedToken {
  token: string;
  session: string;
  role: Role;
  expires_at: string | null;
}

export async function exchangeCode(code: string): Promise<ExchangedToken> {
  const response = await request("api/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  return await response.json() as ExchangedToken;
}

export async function fetchExport(
  session: string, format: string, token: string,
): Promise<{ blob: Blob; filename: string }> {
  const path = `api/sessions/${encodeURIComponent(session)}/export?format=${format}`;
  const response = await request(path, { headers: { Authorization: `Bearer ${token}` } });
  const disposition = response.headers.get("Content-Disposition") ?? "";
  const filename = /filename="?([^";]+)"?/.exec(disposition)?.[1] ?? `${session}.${format}`;
  return { blob: await response.blob(), filename };
}

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(path, document.baseURI), init);
  } catch {
    throw unanswered("disconnected", "The server cannot be reached.");
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null) as { error?: WireError } | null;
  throw new CallRefused(body?.error ?? {
    code: "internal", message: `The server answered ${response.status}.`,
    hint: "Look at the server's log.",
  });
}

function unanswered(code: Unanswered, message: string): CallRefused {
  return new CallRefused({ code, message, hint: "It is tried again when the connection is back." });
}

function unknownAnswer(name: string): WireError {
  return {
    code: "internal", message: `The server's answer to '${name}' was not understood.`,
    hint: "Reload the page: the server may have been updated.",
  };
}
