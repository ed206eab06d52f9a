"""Reads a file of the host in a thread of its own."""

from pyodide.code import run_js

read = run_js("""(path) => new Promise((resolve, reject) => {
  const { Worker } = process.getBuiltinModule("worker_threads");
  const code = `
    const { parentPort, workerData } = require("worker_threads");
    parentPort.postMessage(require("fs").readFileSync(workerData, "utf8"));`;
  const worker = new Worker(code, { eval: true, workerData: path });
  worker.on("message", resolve);
  worker.on("error", reject);
})""")
print(await read(SECRET_FILE))
