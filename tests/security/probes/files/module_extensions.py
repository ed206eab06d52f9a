"""Reads a file of the host by the loader of one file type, with a module made by hand."""

from pyodide.code import run_js

read = run_js("""(path) => {
  const { Module } = process.getBuiltinModule("module");
  const made = new Module(path);
  Module._extensions[".json"](made, path);
  return made.exports;
}""")
print(read(SECRET_FILE))
