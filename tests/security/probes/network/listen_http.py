"""Serves HTTP on the host, as a page that looks like ours could."""

from pyodide.code import run_js

listen = run_js("""(port) => new Promise((resolve) => {
  const server = process.getBuiltinModule("http").createServer((_, answer) => answer.end("hello"));
  server.on("error", (error) => resolve(String(error)));
  server.listen(port, "127.0.0.1", () => resolve("serves"));
})""")
print(await listen(LISTEN_PORT))
