"""Takes memory that threads share, which no heap counts."""

from pyodide.code import run_js

run_js("""() => {
  globalThis.taken = [];
  for (;;) globalThis.taken.push(new Uint8Array(new SharedArrayBuffer(2 ** 25)).fill(1));
}""")()
