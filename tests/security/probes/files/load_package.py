"""Lets Pyodide install a file of the host as if it were a package."""

import pyodide_js


def tell(*messages):
    print(*messages)


await pyodide_js._api.loadBinaryFile(SECRET_FOLDER + "/secret.mjs")
buffer = await pyodide_js._api.loadBinaryFile("file://" + SECRET_FILE)
print(bytes(buffer.to_py()))
