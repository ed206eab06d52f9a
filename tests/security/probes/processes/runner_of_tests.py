"""Lets Node's test runner start a file in a process of its own."""

from pyodide.code import run_js

run = run_js("""async (path, to) => {
  const { run } = process.getBuiltinModule("node:test");
  const code = `process.getBuiltinModule("fs").writeFileSync(${JSON.stringify(to)}, "written")`;
  const execArgv = ["--import", "data:text/javascript," + encodeURIComponent(code)];
  const found = [];
  for await (const event of run({ files: [path], execArgv })) found.push(event.type);
  return found.join();
}""")
print(await run(SECRET_MODULE, WRITABLE + "/by_runner"))
