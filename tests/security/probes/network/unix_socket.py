"""Connects to a Unix socket of the host, such as Docker's or a database's."""

from pyodide.code import run_js

connect = run_js("""(path) => new Promise((resolve) => {
  const socket = process.getBuiltinModule("net").connect(path);
  for (const event of ["connect", "error", "close"]) socket.on(event, () => resolve(event));
})""")
print(await connect(UNIX_PATH))
