"""Puts a function of JavaScript into Python's function table and calls it with ctypes."""

import ctypes

import pyodide_js
from pyodide.code import run_js

add = run_js("""(module, path) => {
  const fs = process.getBuiltinModule("fs");
  const read = (address) => module.stringToUTF8(fs.readFileSync(path, "utf8"), address, 100);
  return module.addFunction(read, "vi");
}""")
number = add(pyodide_js._module, SECRET_FILE)
buffer = ctypes.create_string_buffer(100)
ctypes.CFUNCTYPE(None, ctypes.c_void_p)(number)(ctypes.addressof(buffer))
print(buffer.value)
