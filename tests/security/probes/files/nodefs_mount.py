"""Mounts a folder of the host into Python's file system by Pyodide's own function."""

import os

import pyodide_js

os.makedirs("/host", exist_ok=True)
pyodide_js.mountNodeFS("/host", SECRET_FOLDER)
with open("/host/secret.json") as file:
    print(file.read())
