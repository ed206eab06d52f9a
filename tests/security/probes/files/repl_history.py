"""Lets a REPL of Node keep its history in a folder of the host."""

from pyodide.code import run_js

keep = run_js("""(path) => new Promise((resolve) => {
  const { PassThrough } = process.getBuiltinModule("stream");
  const repl = process.getBuiltinModule("repl");
  const started = repl.start({ input: new PassThrough(), output: new PassThrough() });
  started.setupHistory(path, (error) => resolve(String(error)));
})""")
print(await keep(WRITABLE + "/history"))
