"""Asks a server of the host to be a proxy to another."""

from pyodide.code import run_js

ask = run_js("""(port) => new Promise((resolve) => {
  const { Agent, request } = process.getBuiltinModule("http");
  const agent = new Agent({ keepAlive: true });
  const sent = request({ port, host: "127.0.0.1", agent, method: "CONNECT", path: "x:1" });
  for (const event of ["connect", "error", "close"]) sent.on(event, () => resolve(event));
  sent.end();
})""")
print(await ask(TCP_PORT))
