// Runs restore_inside.py inside a fresh Pyodide: one request on stdin, one answer as the last line.
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [host, root] = process.argv.slice(2);
const { loadPyodide } = await import(
  pathToFileURL(join(host, "node_modules", "pyodide", "pyodide.mjs")).href
);
const request = await text(process.stdin);
const python = await loadPyodide();
for (const [place, folder] of [["/monitor", "monitor"], ["/support", "tests/support"]]) {
  python.FS.mkdirTree(place);
  python.FS.mount(python.FS.filesystems.NODEFS, { root: join(root, folder) }, place);
}
python.runPython("import sys; sys.path[:0] = ['/monitor', '/support']");
try {
  const { answer } = python.pyimport("restore_inside");
  // On a stack that can be switched, as in a session: only that one is deep enough.
  console.log(await answer.callPromising(request));
} catch (error) {
  // Only the message: Node would print the source line, which is all of Pyodide.
  console.error(String(error.message).slice(-4000));
  process.exit(1);
}
