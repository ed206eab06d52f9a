"""Takes memory outside of Python and of JavaScript's heap."""

from pyodide.code import run_js

run_js("""() => {
  globalThis.taken = [];
  for (;;) globalThis.taken.push(new Uint8Array(2 ** 25).fill(1));
}""")()
