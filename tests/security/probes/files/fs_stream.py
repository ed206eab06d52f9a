"""Reads a file of the host as a stream."""

from pyodide.code import run_js

read = run_js("""async (path) => {
  let text = "";
  const fs = process.getBuiltinModule("fs");
  for await (const part of fs.createReadStream(path)) text += part;
  return text;
}""")
print(await read(SECRET_FILE))
