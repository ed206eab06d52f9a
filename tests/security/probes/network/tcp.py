"""Connects to a TCP port of the host."""

from pyodide.code import run_js

connect = run_js("""(port) => new Promise((resolve) => {
  const socket = process.getBuiltinModule("net").connect(port, "127.0.0.1");
  for (const event of ["connect", "error", "close"]) socket.on(event, () => resolve(event));
})""")
print(await connect(TCP_PORT))
