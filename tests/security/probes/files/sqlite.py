"""Makes a file of the host with SQLite, which asks no permission of Node's."""

from pyodide.code import run_js

make = run_js("""(path) => {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  new DatabaseSync(path).exec("CREATE TABLE written (x)");
}""")
make(WRITABLE + "/database")
