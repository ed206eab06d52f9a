"""Fetches an address of the host with JavaScript's fetch."""

import js

try:
    await js.fetch(f"http://127.0.0.1:{TCP_PORT}/")
except Exception as error:
    print(error)
