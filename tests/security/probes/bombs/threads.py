"""Starts threads without end."""

from pyodide.code import run_js

await run_js("""async () => {
  const { Worker } = process.getBuiltinModule("worker_threads");
  for (let i = 0; i < 300; i++) {
    new Worker("setInterval(() => {}, 1000)", { eval: true }).on("error", () => {});
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}""")()
