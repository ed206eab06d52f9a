"""Changes into a folder of the host and reads by a name alone."""

from pyodide.code import run_js

read = run_js("""(folder) => {
  process.chdir(folder);
  try {
    return process.getBuiltinModule("fs").readFileSync("secret.json", "utf8");
  } finally {
    process.chdir("/");
  }
}""")
print(read(SECRET_FOLDER))
