"""Sends a number that no JSON has."""

from pyodide.code import run_js

send = run_js("""(bytes) => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 3; number < 64; number++)
    try {
      if (fs.fstatSync(number).isSocket()) fs.writeSync(number, bytes.toJs());
    } catch {}
}""")
text = b'J{"type": "finished", "duration_ms": NaN}'
send(len(text).to_bytes(4, "little") + text)
