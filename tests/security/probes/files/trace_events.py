"""Lets Node write a trace of events into its working directory."""

from pyodide.code import run_js

trace = run_js("""async (mark) => {
  const { createTracing } = process.getBuiltinModule("trace_events");
  const v8 = process.getBuiltinModule("v8");
  process.chdir(mark);
  const tracing = createTracing({ categories: ["node", "v8", "node.perf"] });
  tracing.enable();
  performance.mark("a");
  performance.measure("b", "a");
  await new Promise((resolve) => setTimeout(resolve, 200));
  tracing.disable();
  await new Promise((resolve) => setTimeout(resolve, 200));
  process.chdir("/");
}""")
await trace(WRITABLE)
