"""Receives datagrams on a UDP port of the host."""

from pyodide.code import run_js

bind = run_js("""(port) => new Promise((resolve) => {
  const socket = process.getBuiltinModule("dgram").createSocket("udp4");
  socket.on("error", (error) => resolve(String(error)));
  socket.bind(port, "127.0.0.1", () => resolve("receives"));
})""")
print(await bind(LISTEN_PORT))
