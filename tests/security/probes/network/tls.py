"""Begins an encrypted connection to the host."""

from pyodide.code import run_js

connect = run_js("""(port) => new Promise((resolve) => {
  const socket = process.getBuiltinModule("tls").connect({ port, host: "127.0.0.1" });
  for (const event of ["secureConnect", "error", "close"]) socket.on(event, () => resolve(event));
})""")
print(await connect(TCP_PORT))
