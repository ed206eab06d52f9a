"""Empties a file of the host."""

import js

js.process.getBuiltinModule("fs").truncateSync(SECRET_ENV_FILE, 0)
