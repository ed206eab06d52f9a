"""Listens on a TCP port of the host."""

from pyodide.code import run_js

listen = run_js("""(port) => new Promise((resolve) => {
  const server = process.getBuiltinModule("net").createServer();
  server.on("error", (error) => resolve(String(error)));
  server.listen(port, "127.0.0.1", () => resolve("listens"));
})""")
print(await listen(LISTEN_PORT))
