"""Connects to a Unix socket by process.binding."""

from pyodide.code import run_js

connect = run_js("""(path) => new Promise((resolve) => {
  const { Pipe, PipeConnectWrap, constants } = process.binding("pipe_wrap");
  const handle = new Pipe(constants.SOCKET);
  const request = new PipeConnectWrap();
  request.oncomplete = (status) => { handle.close(); resolve(status); };
  handle.connect(request, path);
})""")
print(await connect(UNIX_PATH))
