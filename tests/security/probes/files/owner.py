"""Changes the inner facts of an open file of the host."""

from pyodide.code import run_js

change = run_js("""(path) => {
  const fs = process.getBuiltinModule("fs");
  const descriptor = fs.openSync(path, "r");
  fs.futimesSync(descriptor, 1, 1);
  fs.fchmodSync(descriptor, 0o600);
}""")
change(SECRET_FILE)
