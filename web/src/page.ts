// The page as a whole: which screen, which connection, which session; the views draw these signals.
import { computed, signal } from "@preact/signals";

import { hashOf, readAddress, type Route } from "./address.ts";
import { Connection, exchangeCode, type Link } from "./connection.ts";
import type { Path } from "./messages.ts";
import { attempt, reportError } from "./notices.ts";
import { OpenSession } from "./open_session.ts";
import { heldSessions, keepServerToken, keepSessionToken, serverToken, sessionToken } from "./tokens.ts";

export type Dialog =
  | { kind: "share" } | { kind: "help" } | { kind: "palette" } | { kind: "search" }
  | { kind: "people" } | { kind: "scripts" } | { kind: "usage" }
  | { kind: "rename"; session: string; name: string }
  | { kind: "variable"; path: Path }
  | { kind: "watch"; watch: string }
  | { kind: "link"; address: string }
  | { kind: "confirm"; title: string; text: string; action: string; run: () => Promise<unknown> };

export const route = signal<Route>({ screen: "sessions" });
export const link = signal<Link>("connecting");
export const connection = signal<Connection | null>(null);
export const open = signal<OpenSession | null>(null);
export const dialog = signal<Dialog | null>(null);
export const refusedLink = signal<Error | null>(null); // why a share link opened nothing
export const opening = signal(false); // a share link's code is being exchanged
export const isolation = signal<string | null>(null); // what holds the sessions, once it is known
export const isOwner = computed(() => connection.value !== null && serverToken() !== null);

let connectedWith: string | null = null;

export function start(): void {
  readFromAddress();
  addEventListener("hashchange", readFromAddress);
}

export function go(to: Route): void {
  location.hash = hashOf(to);
}

export function useServerToken(token: string): void {
  refusedLink.value = null;
  keepServerToken(token);
  disconnect();
  show(route.value);
}

export function forgetServerToken(): void {
  keepServerToken(null);
  disconnect();
  show(route.value);
}

export async function createSession(name?: string): Promise<void> {
  if (!connection.value) return;
  const { session } = await connection.value.call("session.create", name ? { name } : {});
  go({ screen: "session", session });
}

/** Takes secrets out of the address at once: neither the history nor a look at the screen keeps them. */
function readFromAddress(): void {
  const { route: to, token, code } = readAddress(location.hash);
  if (token || code) history.replaceState(null, "", hashOf(to));
  if (token) {
    keepServerToken(token);
    disconnect();
  }
  if (code) attempt(() => openShare(code));
  else show(to);
}

async function openShare(code: string): Promise<void> {
  opening.value = true;
  refusedLink.value = null;
  try {
    const { token, session, role } = await exchangeCode(code);
    keepSessionToken(session, { token, role });
    history.replaceState(null, "", hashOf({ screen: "session", session }));
    disconnect();
    show({ screen: "session", session });
  } catch (error) {
    show({ screen: "sessions" });
    if (connection.value || !(error instanceof Error)) reportError(error);
    else refusedLink.value = error; // the screen that asks for a token says it, and goes on saying it
  } finally {
    opening.value = false;
  }
}

function show(to: Route): void {
  route.value = to;
  dialog.value = null;
  connectFor(to);
  const wanted = to.screen === "session" ? to.session : null;
  if (open.value?.id === wanted) return;
  open.value?.close();
  open.value = wanted && connection.value ? new OpenSession(wanted, connection.value) : null;
}

function connectFor(to: Route): void {
  const session = to.screen === "session" ? to.session : heldSessions()[0];
  const token = serverToken() ?? (session ? sessionToken(session)?.token : null) ?? null;
  if (token === connectedWith) return;
  disconnect();
  if (token === null) return;
  connectedWith = token;
  link.value = "connecting";
  connection.value = new Connection(token, {
    link: changeLink,
    event: (event) => open.value?.receive(event),
    live: (message, taken) => open.value?.receiveLive(message, taken) ?? taken(),
  });
}

function changeLink(to: Link): void {
  link.value = to;
  if (to === "connected") {
    void open.value?.join();
    learnIsolation().catch(() => {}); // lost again: the next connection asks, too
  } else open.value?.disconnected();
}

async function learnIsolation(): Promise<void> {
  const info = await connection.value?.call("server.info", {});
  if (info) isolation.value = info.isolation;
}

function disconnect(): void {
  open.value?.close();
  open.value = null;
  connection.value?.close();
  connection.value = null;
  connectedWith = null;
}
