"""Ends another process by the function below process.kill."""

import js

print(js.process._kill(VICTIM_PID, 9))
