"""Opens a WebSocket to the host."""

from pyodide.code import run_js

connect = run_js("""(port) => new Promise((resolve) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  for (const event of ["open", "error", "close"])
    socket.addEventListener(event, () => resolve(event));
})""")
print(await connect(TCP_PORT))
