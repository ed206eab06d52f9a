"""Reads a file of the host with a script in another context that imports by the main loader."""

from pyodide.code import run_js

read = run_js("""async (path) => {
  const vm = process.getBuiltinModule("vm");
  const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  const source = "async (path) => (await import('node:fs')).readFileSync(path, 'utf8')";
  return vm.runInNewContext(source, {}, { importModuleDynamically })(path);
}""")
print(await read(SECRET_FILE))
