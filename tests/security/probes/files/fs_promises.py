"""Reads a file of the host with fs/promises."""

import js

fs = js.process.getBuiltinModule("fs/promises")
print(await fs.readFile(SECRET_FILE, "utf8"))
