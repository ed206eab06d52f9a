"""Opens a WebSocket by the package that comes with Pyodide."""

from pyodide.code import run_js

connect = run_js("""(port) => new Promise((resolve) => {
  const { createRequire } = process.getBuiltinModule("module");
  const { pyodide_dir: folder } = JSON.parse(process.argv[2]);
  const WebSocket = createRequire(`${folder}/pyodide.mjs`)("ws");
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  for (const event of ["open", "error", "close"]) socket.on(event, () => resolve(event));
})""")
print(await connect(TCP_PORT))
