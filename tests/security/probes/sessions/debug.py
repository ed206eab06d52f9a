"""Sends the signal that starts a debugger in another process, and ends what is not Node."""

import js

js.process._debugProcess(VICTIM_PID)
