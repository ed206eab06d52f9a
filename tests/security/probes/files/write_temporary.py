"""Leaves a file where all programs of the machine leave theirs."""

from pyodide.code import run_js

write = run_js("""(mark) => {
  const fs = process.getBuiltinModule("fs");
  for (const folder of ["/tmp", "/var/tmp", "/dev/shm", "/run"])
    try {
      fs.writeFileSync(`${folder}/${mark}`, "written by a probe");
    } catch (error) {
      console.log(String(error));
    }
}""")
write(MARK)
