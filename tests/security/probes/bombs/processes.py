"""Starts one process after another, as a fork bomb does."""

from pyodide.code import run_js

run_js("""() => {
  const { spawn } = process.getBuiltinModule("child_process");
  for (let i = 0; i < 60; i++)
    try {
      spawn("/bin/sleep", ["20"], { stdio: "ignore" }).on("error", () => {});
    } catch {}
}""")()
