// The tokens of this tab: kept in sessionStorage, so that they neither outlive it nor reach another.
import type { Role } from "./messages.ts";

export interface SessionToken {
  token: string;
  role: Role;
}

const SERVER = "watchglass.server-token";
const SESSIONS = "watchglass.session-tokens";

export function serverToken(): string | null {
  return sessionStorage.getItem(SERVER);
}

export function keepServerToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(SERVER);
  else sessionStorage.setItem(SERVER, token);
}

export function sessionToken(session: string): SessionToken | null {
  return sessionTokens()[session] ?? null;
}

export function keepSessionToken(session: string, token: SessionToken | null): void {
  const { [session]: _, ...others } = sessionTokens();
  const kept = token ? { ...others, [session]: token } : others;
  sessionStorage.setItem(SESSIONS, JSON.stringify(kept));
}

export function heldSessions(): string[] {
  return Object.keys(sessionTokens());
}

function sessionTokens(): Record<string, SessionToken> {
  try {
    return JSON.parse(sessionStorage.getItem(SESSIONS) ?? "{}") as Record<string, SessionToken>;
  } catch {
    return {};
  }
}
