"""Connects to an abstract Unix socket, which no file guards."""

from pyodide.code import run_js

connect = run_js("""(name) => new Promise((resolve) => {
  const socket = process.getBuiltinModule("net").connect("\\0" + name);
  for (const event of ["connect", "error", "close"]) socket.on(event, () => resolve(event));
})""")
print(await connect(ABSTRACT_NAME))
