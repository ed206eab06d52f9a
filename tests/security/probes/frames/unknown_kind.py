"""Sends a frame of a kind that there is not."""

from pyodide.code import run_js

send = run_js("""(bytes) => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 3; number < 64; number++)
    try {
      if (fs.fstatSync(number).isSocket()) fs.writeSync(number, bytes.toJs());
    } catch {}
}""")
send(b"\x05\0\0\0Xabcd")
