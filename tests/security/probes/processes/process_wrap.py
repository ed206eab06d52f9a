"""Starts a program by the handle that child processes are made of."""

from pyodide.code import run_js

spawn = run_js("""(command) => new Promise((resolve) => {
  const { Process } = process.binding("process_wrap");
  const handle = new Process();
  handle.onexit = (status) => resolve(status);
  const error = handle.spawn({
    file: "/bin/sh", args: ["sh", "-c", command], envPairs: [],
    stdio: [{ type: "ignore" }, { type: "ignore" }, { type: "ignore" }],
  });
  if (error) resolve(error);
})""")
print(await spawn(f"echo written > {WRITABLE}/by_handle"))
