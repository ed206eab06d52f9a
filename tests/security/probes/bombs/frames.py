"""Sends frames without end, each of which is right."""

import json

from pyodide.code import run_js

text = json.dumps({"type": "stream", "request_id": 0, "name": "stdout", "text": "x" * 60_000})
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
