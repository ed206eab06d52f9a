"""Connects from a thread of its own."""

from pyodide.code import run_js

connect = run_js("""(port) => new Promise((resolve) => {
  const { Worker } = process.getBuiltinModule("worker_threads");
  const worker = new Worker(`
    const socket = require("net").connect(${port}, "127.0.0.1");
    for (const event of ["connect", "error"])
      socket.on(event, () => {
        socket.destroy();
        require("worker_threads").parentPort.postMessage(event);
      });
  `, { eval: true });
  worker.on("message", resolve);
  worker.on("error", (error) => resolve(String(error)));
})""")
print(await connect(TCP_PORT))
