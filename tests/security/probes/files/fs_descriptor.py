"""Opens a file of the host by descriptor and reads it in pieces."""

from pyodide.code import run_js

read = run_js("""(path) => {
  const fs = process.getBuiltinModule("fs");
  const pieces = [Buffer.alloc(8), Buffer.alloc(64)];
  fs.readvSync(fs.openSync(path), pieces, 0);
  return Buffer.concat(pieces).toString();
}""")
print(read(SECRET_FILE))
