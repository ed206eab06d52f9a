"""Reads a file of the host by the inner loader of CommonJS."""

import js

Module = js.process.getBuiltinModule("module")
print(Module._load(SECRET_FILE, None, False))
