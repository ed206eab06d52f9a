"""Asks a server of the host by HTTPS."""

from pyodide.code import run_js

get = run_js("""(port) => new Promise((resolve) => {
  const { get } = process.getBuiltinModule("https");
  get({ port, host: "127.0.0.1" }, resolve).on("error", (error) => resolve(String(error)));
})""")
print(await get(TCP_PORT))
