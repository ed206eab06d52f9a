"""Writes a file of the host as a stream."""

from pyodide.code import run_js

write = run_js("""(path) => new Promise((resolve) => {
  const stream = process.getBuiltinModule("fs").createWriteStream(path);
  stream.on("error", (error) => resolve(String(error)));
  stream.end("written by a probe", resolve);
})""")
print(await write(WRITABLE + "/streamed"))
