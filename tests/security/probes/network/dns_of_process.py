"""Sets the name server of the whole process and asks it."""

from pyodide.code import run_js

ask = run_js("""(port) => new Promise((resolve) => {
  const dns = process.getBuiltinModule("dns");
  dns.setServers([`127.0.0.1:${port}`]);
  dns.resolveTxt("taken-data.example", (error) => resolve(String(error)));
  setTimeout(() => resolve("no answer"), 300);
})""")
print(await ask(UDP_PORT))
