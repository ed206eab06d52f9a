"""Leaves a file in the folder that every session's Python comes from."""

from pyodide.code import run_js

write = run_js("""(mark) => {
  const fs = process.getBuiltinModule("fs");
  const { pyodide_dir: folder } = JSON.parse(process.argv[2]);
  fs.writeFileSync(`${folder}/${mark}`, "written by a probe");
}""")
write(MARK)
