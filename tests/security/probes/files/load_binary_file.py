"""Reads a file of the host by the function that Pyodide loads its own files with."""

import pyodide_js

data = await pyodide_js._api.loadBinaryFile(SECRET_FILE)
print(bytes(data.to_py()))
