import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { PyodideCode, scriptOf } from "../src/pyodide_code.mjs";

const PYODIDE = fileURLToPath(new URL("../node_modules/pyodide", import.meta.url));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "code-"));
after(() => fs.rmSync(folder, { recursive: true }));

const MODULE = `
async function make() {
  const { sep } = await import("node:path");
  const important = (x) => x;
  return { sep, url: import.meta.url, strict: this === undefined, text: important("no") };
}
export default make;
`;

/** @param {string} text */
function codeOf(text) {
  fs.writeFileSync(path.join(folder, "pyodide.asm.mjs"), text);
  return new PyodideCode(folder);
}

test("the script does what the module did: strict, with its url and its imports", async () => {
  const url = pathToFileURL(path.join(folder, "pyodide.asm.mjs")).href;
  const made = await codeOf(MODULE).create()();
  assert.deepEqual(made, { sep: path.sep, url, strict: true, text: "no" });
});

test("a module of another form is refused", () => {
  assert.throws(() => scriptOf("export { x }"), /does not end with its export/);
});

test("Pyodide's own module has the form that is expected, and nothing else of modules", () => {
  const text = fs.readFileSync(path.join(PYODIDE, "pyodide.asm.mjs"), "utf8");
  assert.doesNotMatch(scriptOf(text), /import\.meta|(?<![.\w$])import\(|^import |\nexport /);
  assert.equal(typeof new PyodideCode(PYODIDE).create(), "function");
});

/**
 * @param {string} file
 * @returns {string} whether another process had to compile, and what it made
 */
function elsewhere(file) {
  const module = new URL("../src/pyodide_code.mjs", import.meta.url).href;
  const script = `
    import(${JSON.stringify(module)}).then(({ PyodideCode }) => {
      const compiled = require("node:fs").readFileSync(${JSON.stringify(file)});
      const code = new PyodideCode(${JSON.stringify(folder)}, compiled);
      console.log(code.isCold, typeof code.create());
    });`;
  return execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).trim();
}

test("compiled code is taken by another process, and compiled anew if it is broken", () => {
  const code = codeOf(MODULE);
  assert.ok(code.isCold);
  code.create();
  const compiled = code.compiled();
  const file = path.join(folder, "compiled");
  fs.writeFileSync(file, compiled);
  assert.equal(elsewhere(file), "false function");
  fs.writeFileSync(file, compiled.fill(0, 0, 16));
  assert.equal(elsewhere(file), "true function");
});
