"""Listens on a Unix socket in a folder of the host."""

from pyodide.code import run_js

listen = run_js("""(path) => new Promise((resolve) => {
  const server = process.getBuiltinModule("net").createServer();
  server.on("error", (error) => resolve(String(error)));
  server.listen(path, () => resolve("listens"));
})""")
print(await listen(WRITABLE + "/socket"))
