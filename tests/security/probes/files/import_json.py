"""Imports a file of the host as a JSON module, by a script that may import."""

from pyodide.code import run_js

load = run_js("""async (path) => {
  const vm = process.getBuiltinModule("vm");
  const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  const source = 'import("file://' + path + '", { with: { type: "json" } })';
  return (await new vm.Script(source, { importModuleDynamically }).runInThisContext()).default;
}""")
print(await load(SECRET_FILE))
