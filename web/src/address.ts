// The fragment of the address: which screen, and secrets that must not stay in it. Pure.

export type Route = { screen: "sessions" } | { screen: "session"; session: string };

export interface Address {
  route: Route;
  token: string | null;
  code: string | null;
}

export function readAddress(hash: string): Address {
  const fragment = hash.replace(/^#/, "");
  const session = /^\/s\/([^/?&]+)/.exec(fragment)?.[1];
  const route: Route = session
    ? { screen: "session", session: decode(session) } : { screen: "sessions" };
  const fields = new URLSearchParams(fragment.startsWith("/") ? fragment.split("?")[1] ?? "" : fragment);
  return { route, token: fields.get("token") || null, code: fields.get("code") || null };
}

export function hashOf(route: Route): string {
  return route.screen === "session" ? `#/s/${encodeURIComponent(route.session)}` : "#/";
}

/** A link of the server as seen from where the page was loaded, so that a proxy's prefix stays. */
export function absoluteLink(link: string, pageAddress: string): string {
  const at = link.indexOf("#");
  if (at < 0) return new URL(link, pageAddress).href;
  const page = new URL(pageAddress);
  page.hash = link.slice(at);
  page.search = "";
  return page.href;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
