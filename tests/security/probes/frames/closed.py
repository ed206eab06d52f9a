"""Closes the connection to the server and goes on without it."""

from pyodide.code import run_js

run_js("""() => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 3; number < 64; number++)
    try {
      if (fs.fstatSync(number).isSocket()) fs.closeSync(number);
    } catch {}
  for (;;);
}""")()
