"""Never stops to compute, in eight threads."""

from pyodide.code import run_js

run_js("""() => new Promise(() => {
  const { Worker } = process.getBuiltinModule("worker_threads");
  for (let i = 0; i < 8; i++) new Worker("for (;;);", { eval: true }).on("error", () => {});
})""")()
while True:
    pass
