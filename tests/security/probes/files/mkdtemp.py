"""Makes a folder of its own on the host."""

import js

print(js.process.getBuiltinModule("fs").mkdtempSync(WRITABLE + "/made-"))
