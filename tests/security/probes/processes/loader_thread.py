"""Registers a loader of modules, whose code runs in a thread that nobody watches."""

from pyodide.code import run_js

register = run_js("""(path) => {
  const module = process.getBuiltinModule("module");
  module.register("data:text/javascript," + encodeURIComponent(`
    import fs from "node:fs";
    fs.writeFileSync(${JSON.stringify(path)}, "written");
    export async function resolve(name, context, next) { return next(name, context); }`));
}""")
register(WRITABLE + "/by_loader")
