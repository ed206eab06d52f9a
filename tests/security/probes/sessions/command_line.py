"""Reads the command line of another process."""

import js

fs = js.process.getBuiltinModule("fs")
print(fs.readFileSync(f"/proc/{VICTIM_PID}/cmdline", "utf8"))
