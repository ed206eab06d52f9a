"""Ends itself in the middle of a frame."""

from pyodide.code import run_js

run_js("""() => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 3; number < 64; number++)
    try {
      if (fs.fstatSync(number).isSocket()) fs.writeSync(number, Buffer.from([200, 0, 0, 0, 74]));
    } catch {}
  process.reallyExit(0);
}""")()
