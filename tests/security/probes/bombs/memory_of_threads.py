"""Takes memory in threads, each of which has a heap of its own."""

from pyodide.code import run_js

run_js("""() => new Promise(() => {
  const { Worker } = process.getBuiltinModule("worker_threads");
  const code = "const taken = []; for (;;) taken.push(new Uint8Array(2 ** 24).fill(1));";
  for (let i = 0; i < 8; i++) new Worker(code, { eval: true }).on("error", () => {});
})""")()
