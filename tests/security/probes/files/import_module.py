"""Imports a script of the host, which also runs it, from a CommonJS module made by hand."""

from pyodide.code import run_js

load = run_js("""async (path) => {
  const { Module } = process.getBuiltinModule("module");
  const made = new Module("/nowhere.js");
  made._compile("exports.load = (url) => import(url)", "/nowhere.js");
  return (await made.exports.load("file://" + path)).default;
}""")
print(await load(SECRET_MODULE))
