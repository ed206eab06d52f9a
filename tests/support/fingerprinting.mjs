// Runs fingerprint_inside.py in a fresh Pyodide with the native walk: one request on stdin, one
// answer as the last line.
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [host, root] = process.argv.slice(2);
const load = (...parts) => import(pathToFileURL(join(host, ...parts)).href);
const { loadPyodide } = await load("node_modules", "pyodide", "pyodide.mjs");
const { Fingerprints } = await load("src", "fingerprints.mjs");
const request = await text(process.stdin);
const python = await loadPyodide();
for (const [place, folder] of [["/monitor", "monitor"], ["/support", "tests/support"]]) {
  python.FS.mkdirTree(place);
  python.FS.mount(python.FS.filesystems.NODEFS, { root: join(root, folder) }, place);
}
python.runPython("import sys; sys.path[:0] = ['/monitor', '/support']");
const native = new Fingerprints(python._module.LDSO.loadedLibsByName.__main__.exports);
try {
  const { answer } = python.pyimport("fingerprint_inside");
  // On a stack that can be switched, as in a session.
  console.log(await answer.callPromising(request, native.forKernel()));
} catch (error) {
  // Only the message: Node would print the source line, which is all of Pyodide.
  console.error(String(error.message).slice(-4000));
  process.exit(1);
}
