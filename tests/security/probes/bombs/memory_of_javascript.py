"""Takes all of JavaScript's heap."""

from pyodide.code import run_js

run_js("""() => {
  globalThis.taken = [];
  for (;;) globalThis.taken.push({ text: `a text of its own ${globalThis.taken.length}` });
}""")()
