"""Opens files until the system has no more."""

from pyodide.code import run_js

run_js("""() => {
  const fs = process.getBuiltinModule("fs");
  for (let i = 0; i < 5000; i++) fs.openSync("/dev/null");
}""")()
