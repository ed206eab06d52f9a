"""Tells of changes without end, as many in a message as a message may hold."""

import json

from pyodide.code import run_js

change = {"op": "delete", "name": "x" * 1000, "line": 1, "request_id": 0}
message = {"type": "variables", "request_id": 0, "running": False, "changes": [change] * 500}
text = json.dumps(message)
run_js("""(bytes) => {
  const frame = bytes.toJs();
  const fs = process.getBuiltinModule("fs");
  const isSocket = (number) => {
    try {
      return fs.fstatSync(number).isSocket();
    } catch {}
  };
  const sockets = [...Array(64).keys()].filter((number) => number > 2 && isSocket(number));
  for (;;)
    for (const number of sockets)
      for (let sent = 0; sent < frame.length; )
        try {
          sent += fs.writeSync(number, frame, sent);
        } catch {}
}""")((len(text) + 1).to_bytes(4, "little") + b"J" + text.encode())
