"""Finds files of the host by a pattern."""

import js

fs = js.process.getBuiltinModule("fs")
print(fs.globSync(SECRET_FOLDER + "/*").to_py())
