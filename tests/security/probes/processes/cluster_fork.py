"""Starts a worker of a cluster, which is another process."""

from pyodide.code import run_js

fork = run_js("""(script, path) => new Promise((resolve) => {
  const cluster = process.getBuiltinModule("cluster");
  const code = `process.getBuiltinModule("fs").writeFileSync(${JSON.stringify(path)}, "written");
    process.exit();`;
  const execArgv = ["--import", "data:text/javascript," + encodeURIComponent(code)];
  cluster.setupPrimary({ exec: script, execArgv, silent: true });
  const worker = cluster.fork();
  worker.on("exit", resolve);
  worker.on("error", (error) => resolve(String(error)));
})""")
print(await fork(SECRET_MODULE, WRITABLE + "/by_cluster"))
