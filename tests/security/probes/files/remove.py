"""Removes a file of the host."""

import js

js.process.getBuiltinModule("fs").rmSync(SECRET_ENV_FILE)
