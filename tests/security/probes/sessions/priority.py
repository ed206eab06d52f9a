"""Takes processor time from another process."""

import js

js.process.getBuiltinModule("os").setPriority(VICTIM_PID, 19)
