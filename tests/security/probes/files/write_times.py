"""Sets the time of a file of the host."""

import js

js.process.getBuiltinModule("fs").utimesSync(SECRET_FILE, 1, 1)
