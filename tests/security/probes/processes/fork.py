"""Forks Node, which starts another script in a new process."""

from pyodide.code import run_js

fork = run_js("""(script, path) => new Promise((resolve) => {
  const { fork } = process.getBuiltinModule("child_process");
  const code = `process.getBuiltinModule("fs").writeFileSync(${JSON.stringify(path)}, "written")`;
  const execArgv = ["--import", "data:text/javascript," + encodeURIComponent(code)];
  const child = fork(script, { execArgv, silent: true, env: {} });
  child.on("exit", resolve);
  child.on("error", (error) => resolve(String(error)));
})""")
print(await fork(SECRET_MODULE, WRITABLE + "/by_fork"))
