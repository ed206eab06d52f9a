"""Mounts the host's root by the file systems that Emscripten's module holds."""

import os

import js
import pyodide_js
from pyodide.ffi import to_js

module = pyodide_js._module
os.makedirs("/root_of_host", exist_ok=True)
options = to_js({"root": "/"}, dict_converter=js.Object.fromEntries)
module.FS.mount(module.FS.filesystems.NODEFS, options, "/root_of_host")
with open("/root_of_host" + SECRET_FILE) as file:
    print(file.read())
