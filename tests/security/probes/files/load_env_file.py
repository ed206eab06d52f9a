"""Reads a file of the host as a file of environment variables."""

import js

js.process.loadEnvFile(SECRET_ENV_FILE)
print(js.process.env.DECOY)
