"""Lets Pyodide load a file from an address of the host."""

import pyodide_js

try:
    await pyodide_js._api.loadBinaryFile(f"http://127.0.0.1:{TCP_PORT}/x")
except Exception as error:
    print(error)
