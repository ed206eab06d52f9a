"""Calls system() among the exports of the WebAssembly module."""

import pyodide_js
from pyodide.code import run_js

call = run_js("""(module, command) => {
  const length = command.length + 1;
  const address = module._malloc(length);
  module.stringToUTF8(command, address, length);
  const { exports } = module.LDSO.loadedLibsByName.__main__;
  return (module._system ?? exports.system)(address);
}""")
print(call(pyodide_js._module, f"echo written > {WRITABLE}/by_export"))
