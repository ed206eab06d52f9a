"""Sends chunks that hold nothing, of which there could be any number."""

from pyodide.code import run_js

send = run_js("""(bytes) => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 3; number < 64; number++)
    try {
      if (fs.fstatSync(number).isSocket()) fs.writeSync(number, bytes.toJs());
    } catch {}
}""")
send(b"\x05\0\0\0B\xff\xff\xff\xff" * 100)
