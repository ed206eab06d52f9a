"""Reads a file of the host with Node's fs."""

import js

fs = js.process.getBuiltinModule("fs")
print(fs.readFileSync(SECRET_FILE, "utf8"))
