"""Reads a file of the host from WebAssembly, which calls what it imports."""

from pyodide.code import run_js

# (module (import "host" "read" (func)) (start 0))
read = run_js("""(path) => {
  const bytes = Uint8Array.of(
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 13, 1, 4, 104, 111, 115, 116, 4, 114, 101,
    97, 100, 0, 0, 8, 1, 0);
  let text;
  const fs = process.getBuiltinModule("fs");
  const read = () => { text = fs.readFileSync(path, "utf8"); };
  new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { read } });
  return text;
}""")
print(read(SECRET_FILE))
