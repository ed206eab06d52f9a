"""Writes into the pipe by which another process is told what to do."""

import js

fs = js.process.getBuiltinModule("fs")
fs.writeFileSync(f"/proc/{VICTIM_PID}/fd/0", "end\n")
