"""Writes with Python's own open() through a mounted folder of the host."""

import os

import pyodide_js

os.makedirs("/writable", exist_ok=True)
pyodide_js.mountNodeFS("/writable", WRITABLE)
with open("/writable/written", "w") as file:
    file.write("by a probe")
