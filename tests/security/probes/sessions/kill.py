"""Ends another process of the same user."""

import js

js.process.kill(VICTIM_PID, "SIGKILL")
