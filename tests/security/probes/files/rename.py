"""Moves a file of the host."""

import js

js.process.getBuiltinModule("fs").renameSync(SECRET_ENV_FILE, WRITABLE + "/taken")
