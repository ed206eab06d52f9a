"""Starts a program by the handle that child processes are made of."""

from pyodide.code import run_js

spawn = run_js("""(command) => new Promise((resolve) => {
  const { Process } = process.binding("process_wrap");
  const handle = new Process();
  handle.onexit = (status) => resolve(status);
  const none = { type: "ignore" };
  const words = ["sh", "-c", command];
  const error = handle.spawn(
    "/bin/sh", words, undefined, [], [none, none, none], 0, undefined, undefined);
  if (error) resolve(error);
})""")
print(await spawn(f"echo written > {WRITABLE}/by_handle"))
