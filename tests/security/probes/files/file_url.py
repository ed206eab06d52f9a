"""Reads a file of the host by its URL, as Pyodide does with packages."""

import pyodide_js

buffer = await pyodide_js._api.loadBinaryFile("file://" + SECRET_FILE)
print(bytes(buffer.to_py()))
