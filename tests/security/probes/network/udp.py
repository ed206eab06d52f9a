"""Sends a datagram to a UDP port of the host."""

from pyodide.code import run_js

send = run_js("""(port) => new Promise((resolve) => {
  const socket = process.getBuiltinModule("dgram").createSocket("udp4");
  socket.on("error", (error) => resolve(String(error)));
  socket.send("from a probe", port, "127.0.0.1", (error) => {
    socket.close();
    resolve(String(error));
  });
})""")
print(await send(UDP_PORT))
