"""Sends a datagram by process.binding."""

from pyodide.code import run_js

send = run_js("""(port) => new Promise((resolve) => {
  const { UDP, SendWrap } = process.binding("udp_wrap");
  const handle = new UDP();
  const request = new SendWrap();
  request.oncomplete = (status) => { handle.close(); resolve(status); };
  handle.bind("127.0.0.1", 0, 0);
  const error = handle.send(request, [Buffer.from("from a probe")], 1, port, "127.0.0.1", true);
  if (error) resolve(error);
})""")
print(await send(UDP_PORT))
