"""Switches on a flag of V8 at run time that makes it write files."""

from pyodide.code import run_js

write = run_js("""(folder) => {
  const v8 = process.getBuiltinModule("v8");
  v8.setFlagsFromString(`--trace-turbo-path=${folder}`);
  v8.setFlagsFromString("--trace-turbo");
  v8.setFlagsFromString("--allow-natives-syntax");
  const hot = new Function(`
    function sum(n) { let s = 0; for (let i = 0; i < n; i++) s += i; return s; }
    %PrepareFunctionForOptimization(sum);
    sum(10); sum(10);
    %OptimizeFunctionOnNextCall(sum);
    return sum(10);`);
  hot();
  v8.setFlagsFromString("--no-trace-turbo");
}""")
write(WRITABLE)
