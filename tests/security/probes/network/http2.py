"""Begins an HTTP/2 session with the host."""

from pyodide.code import run_js

connect = run_js("""(port) => new Promise((resolve) => {
  const session = process.getBuiltinModule("http2").connect(`http://127.0.0.1:${port}`);
  for (const event of ["connect", "error", "close"]) session.on(event, () => resolve(event));
})""")
print(await connect(TCP_PORT))
