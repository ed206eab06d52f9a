// Inside the sandbox of one HTML output: draws what the page sends, tells its height and the links clicked.
import type { FromSandbox, ToSandbox } from "./sandbox.ts";

const STYLE = `
  :root { color-scheme: light; --text: #1d2327; --quiet: #5d6a72; --line: #d9dfe2; --stripe: #f4f6f7; }
  :root.dark { color-scheme: dark; --text: #dfe6e9; --quiet: #91a0a8; --line: #333d42; --stripe: #1b2124; }
  html, body { margin: 0; background: transparent; }
  body { color: var(--text); font: 13px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; padding: 2px 0; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: 3px 10px; text-align: right; border: 0; }
  thead th { border-bottom: 1px solid var(--line); }
  tbody tr:nth-child(even) { background: var(--stripe); }
  pre, code { font-family: ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; }
  img, svg { max-width: 100%; }
`;

function send(message: FromSandbox): void {
  // The sandbox has no origin of its own to name; the page checks by the window that sends.
  parent.postMessage(message, "*");
}

function draw({ html, dark }: ToSandbox): void {
  document.documentElement.classList.toggle("dark", dark);
  if (document.body.dataset["html"] === "drawn") return;
  document.body.dataset["html"] = "drawn";
  // A fragment made this way runs its scripts, under the sandbox's own Content-Security-Policy.
  document.body.append(document.createRange().createContextualFragment(html));
}

function clicked(event: MouseEvent): void {
  const anchor = event.target instanceof Element ? event.target.closest("a[href]") : null;
  const href = anchor?.getAttribute("href") ?? "";
  if (href === "" || href.startsWith("#")) return;
  event.preventDefault();
  send({ kind: "link", address: href });
}

addEventListener("message", (event: MessageEvent<ToSandbox>) => {
  if (event.source === parent && typeof event.data?.html === "string") draw(event.data);
});

addEventListener("DOMContentLoaded", () => {
  const style = document.createElement("style");
  style.textContent = STYLE;
  document.head.append(style);
  document.addEventListener("click", clicked, true);
  new ResizeObserver(() => {
    send({ kind: "height", height: document.documentElement.getBoundingClientRect().height });
  }).observe(document.documentElement);
  send({ kind: "ready" });
});
