import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";

const MODULE = new URL("../src/second_layer.mjs", import.meta.url).href;
const SCRIPT = `
  import node from "node:process";
  import { emscriptenSystem, raise } from ${JSON.stringify(MODULE)};
  const pyodide = { FS: { filesystems: { NODEFS: {}, MEMFS: {} } }, mountNodeFS() {} };
  const { writeSync } = await import("node:fs");
  raise(pyodide);
  writeSync(1, JSON.stringify({
    gone: [typeof WebSocket, typeof node.binding, typeof node.kill, typeof pyodide.mountNodeFS],
    systems: Object.entries(pyodide.FS.filesystems).map(([name]) => name),
    shown: [process === node, process.version, typeof Math.sqrt, typeof setTimeout],
    loaded: node.moduleLoadList.filter((name) => name.includes("undici")),
    shell: [emscriptenSystem(0), emscriptenSystem(1)],
  }));`;

/** @param {string[]} flags */
function run(...flags) {
  return JSON.parse(execFileSync(process.execPath, [...flags, "--input-type=module", "-e", SCRIPT]).toString());
}

test("with permissions it takes away what leads to the host, and loads nothing for that", () => {
  const found = run("--permission", "--allow-fs-read=*");
  assert.deepEqual(found.gone, ["undefined", "undefined", "undefined", "undefined"]);
  assert.deepEqual(found.systems, ["MEMFS"]);
  assert.deepEqual(found.shown, [false, process.version, "function", "function"]);
  assert.deepEqual(found.loaded, [], "undici needs 15 MB");
  assert.deepEqual(found.shell, [0, -52]);
});

test("without permissions it takes away nothing", () => {
  const found = run();
  assert.deepEqual(found.gone, ["function", "function", "function", "function"]);
  assert.equal(found.shown[0], true);
});
