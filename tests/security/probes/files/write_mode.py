"""Makes a file of the host readable for everybody."""

import js

js.process.getBuiltinModule("fs").chmodSync(SECRET_FILE, 0o606)
