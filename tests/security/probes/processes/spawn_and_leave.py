"""Starts a program of the host that outlives the session."""

from pyodide.code import run_js

spawn = run_js("""(command) => new Promise((resolve) => {
  const { spawn } = process.getBuiltinModule("child_process");
  const child = spawn("/bin/sh", ["-c", command], { detached: true, stdio: "ignore" });
  child.on("exit", resolve);
  child.on("error", (error) => resolve(String(error)));
  child.unref();
})""")
print(await spawn(f"echo written > {WRITABLE}/by_child"))
