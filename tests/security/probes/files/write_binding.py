"""Writes a file of the host by process.binding, below fs and what guards it."""

from pyodide.code import run_js

write = run_js("""(path) => {
  const binding = process.binding("fs");
  const { O_CREAT, O_WRONLY } = process.getBuiltinModule("fs").constants;
  binding.close(binding.open(path, O_CREAT | O_WRONLY, 0o600));
}""")
write(WRITABLE + "/made")
