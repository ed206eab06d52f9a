"""Writes to the output of its process, past all that counts what is printed."""

from pyodide.code import run_js

run_js("""() => {
  const fs = process.getBuiltinModule("fs");
  for (;;)
    for (const number of [1, 2])
      try {
        fs.writeSync(number, Buffer.alloc(2 ** 20, "x"));
      } catch {}
}""")()
