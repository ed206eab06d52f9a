"""Adds to a file of the host."""

import js

js.process.getBuiltinModule("fs").appendFileSync(SECRET_FILE, " ")
