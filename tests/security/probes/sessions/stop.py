"""Halts another process, which then seems to hang."""

import js

js.process.kill(VICTIM_PID, "SIGSTOP")
