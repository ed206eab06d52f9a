"""Asks an HTTP server on the host, where metadata services and databases listen."""

from pyodide.code import run_js

get = run_js("""(port) => new Promise((resolve) => {
  const request = process.getBuiltinModule("http").get({ port, host: "127.0.0.1" }, resolve);
  request.on("error", (error) => resolve(String(error)));
})""")
print(await get(TCP_PORT))
