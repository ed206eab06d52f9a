"""Starts a thread with permissions and environment of its own choice, which writes."""

from pyodide.code import run_js

start = run_js("""(path) => new Promise((resolve) => {
  const { Worker } = process.getBuiltinModule("worker_threads");
  const code = "data:text/javascript," + encodeURIComponent(`
    import fs from "node:fs";
    fs.writeFileSync(${JSON.stringify(path)}, "written");`);
  const worker = new Worker(new URL(code), { execArgv: [], env: {} });
  worker.on("exit", resolve);
  worker.on("error", (error) => resolve(String(error)));
})""")
print(await start(WRITABLE + "/by_thread"))
