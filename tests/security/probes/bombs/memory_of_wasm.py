"""Takes memory by WebAssembly of its own."""

from pyodide.code import run_js

run_js("""() => {
  globalThis.taken = [];
  for (;;) {
    const memory = new WebAssembly.Memory({ initial: 512, maximum: 65536 });
    new Uint8Array(memory.buffer).fill(1);
    globalThis.taken.push(memory);
  }
}""")()
