"""Reads the environments of all processes that it finds."""

from pyodide.code import run_js

read = run_js("""() => {
  const fs = process.getBuiltinModule("fs");
  const found = [];
  for (const name of fs.readdirSync("/proc"))
    if (/^[0-9]+$/.test(name))
      try {
        const text = fs.readFileSync(`/proc/${name}/environ`, "utf8");
        if (text.includes("DECOY=")) found.push(text);
      } catch {}
  return found.join();
}""")
print(read(), VICTIM_PID > 0)
