"""Watches a folder of the host for what others write there."""

from pyodide.code import run_js

watch = run_js("""(folder, secret) => new Promise((resolve) => {
  const fs = process.getBuiltinModule("fs");
  const watcher = fs.watch(folder, (event, name) => resolve(name));
  for (const name of fs.readdirSync(folder)) fs.utimesSync(`${folder}/${name}`, 1, 1);
  setTimeout(() => resolve("nothing"), 1000);
})""")
print(await watch(SECRET_FOLDER, SECRET_FILE))
