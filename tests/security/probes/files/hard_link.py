"""Gives a file of the host a second name."""

import js

js.process.getBuiltinModule("fs").linkSync(SECRET_FILE, WRITABLE + "/second")
