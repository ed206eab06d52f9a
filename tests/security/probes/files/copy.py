"""Copies a folder of the host to where it reads it."""

from pyodide.code import run_js

copy = run_js("""(from, to) =>
  process.getBuiltinModule("fs").cpSync(from, to, { recursive: true })""")
copy(SECRET_FOLDER, WRITABLE + "/copy")
