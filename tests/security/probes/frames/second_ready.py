"""Says that it is ready for a second time."""

import json

from pyodide.code import run_js

send = run_js("""(bytes) => {
  const fs = process.getBuiltinModule("fs");
  for (let number = 3; number < 64; number++)
    try {
      if (fs.fstatSync(number).isSocket()) fs.writeSync(number, bytes.toJs());
    } catch {}
}""")


def send_message(**message):
    text = json.dumps(message).encode()
    send((len(text) + 1).to_bytes(4, "little") + b"J" + text)


facts = {"pyodide": "1", "python": "3", "node": "1", "rung": "poll", "image": True}
send_message(type="ready", memory_bytes=1, **facts)
