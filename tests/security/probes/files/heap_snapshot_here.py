"""Lets V8 write its heap into a working directory that it has chosen."""

from pyodide.code import run_js

write = run_js("""(folder) => {
  process.chdir(folder);
  try {
    const v8 = process.getBuiltinModule("v8");
    return v8.writeHeapSnapshot();
  } finally {
    process.chdir("/");
  }
}""")
print(write(WRITABLE))
