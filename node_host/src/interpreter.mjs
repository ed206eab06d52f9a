/**
 * Node host ⇄ Pyodide: load it from its files or from an image, mount monitor/. The only file that
 * imports pyodide.
 */
import fs from "node:fs";
import fsPromises from "node:fs/promises";
import module from "node:module";
import path from "node:path";
import process from "node:process";
import v8 from "node:v8";
import { pathToFileURL } from "node:url";

import { PyodideCode } from "./pyodide_code.mjs";
import { emscriptenSystem, isInForce } from "./second_layer.mjs";
import { Image } from "./snapshot.mjs";
import { hideSuspendedFrames } from "./suspended_frames.mjs";
import { growMemory, limitMemory } from "./wasm.mjs";
import { Workers } from "./workers.mjs";

/**
 * Pyodide, with the two parts of it that have no public name; the version is pinned for them.
 * @typedef {import("pyodide").PyodideAPI & { _module: any, _api: any }} Pyodide
 */
/**
 * @typedef {object} BootOptions
 * @property {string} pyodideDir
 * @property {string | null} [image] a file
 * @property {PyodideCode} [code]
 * @property {number | null} [memoryBytes]
 * @property {boolean} [makeSnapshot]
 * @property {Function} [signalCheck] called by the interpreter instead of its own check
 */

const LOCK_FILE = /** @type {any} */ ({
  info: {
    abi_version: "2026_0",
    arch: "wasm32",
    platform: "emscripten_5_0_3",
    python: "3.14.2",
    version: "314.0.7",
  },
  packages: {},
});
const MONITOR_FOLDER = "/watchglass/monitor";
const PLACEHOLDER_BYTES = 8;
const ALIVE_MS = 1000; // while V8 compiles, nothing else may keep the event loop from ending
const STACK_FLAG = "--wasm-stack-switching-stack-size=";

/**
 * Load Pyodide with one compilation of its WebAssembly and no second copy of its bytes.
 * @param {BootOptions} options
 * @returns {Promise<Pyodide>}
 */
export async function boot(options) {
  allowNodeFiles();
  allowDeepStacks();
  const compiled = compile(options);
  const image = options.image ? new Image(options.image) : undefined;
  const code = options.code ?? new PyodideCode(options.pyodideDir, image?.code);
  const { loadPyodide } = await import(fileUrl(options.pyodideDir, "pyodide.mjs"));
  const restore = interceptLoading(compiled, image, options.signalCheck);
  const alive = setInterval(() => {}, ALIVE_MS);
  try {
    const pyodide = await loadPyodide({
      indexURL: options.pyodideDir + "/",
      packageBaseUrl: options.pyodideDir + "/",
      lockFileContents: LOCK_FILE,
      createPyodideModule: code.create(),
      env: { HOME: "/home/pyodide", PYTHONINSPECT: "1", LANG: "en_US.UTF-8" },
      _loadSnapshot: image?.header,
      _makeSnapshot: options.makeSnapshot ?? false,
    });
    return pyodide;
  } finally {
    clearInterval(alive);
    restore();
  }
}

/** Pyodide's NODEFS asks `process.binding("fs")` for constants; --permission denies that. */
function allowNodeFiles() {
  if (isInForce())
    /** @type {any} */ (process).binding = () => ({ fs: fs.constants });
}

/**
 * V8 makes no stack for the kernel's entries larger than --stack-size, whatever
 * --wasm-stack-switching-stack-size says. On the command line it would also lift the limit of the
 * main stack above what the operating system gives, where a deep recursion then is a crash; set
 * this late, it holds for the new stacks only.
 */
function allowDeepStacks() {
  const size = process.execArgv.find((flag) => flag.startsWith(STACK_FLAG));
  if (size) v8.setFlagsFromString(`--stack-size=${size.slice(STACK_FLAG.length)}`);
}

/** @param {BootOptions} options */
async function compile({ pyodideDir, memoryBytes }) {
  const bytes = fs.readFileSync(path.join(pyodideDir, "pyodide.asm.wasm"));
  if (memoryBytes) limitMemory(bytes, memoryBytes);
  return await WebAssembly.compile(bytes);
}

/**
 * While Pyodide loads: give it a placeholder instead of the WebAssembly file, our compiled module
 * when it wants that placeholder instantiated, and the image's pages when it copies its memory from
 * behind the header.
 * @param {Promise<WebAssembly.Module>} compiled
 * @param {Image | undefined} image
 * @param {Function | undefined} signalCheck
 * @returns {() => void} ends it
 */
function interceptLoading(compiled, image, signalCheck) {
  const { readFile } = fsPromises;
  const { instantiate } = WebAssembly;
  const { set } = Int8Array.prototype;
  const patched = /** @type {any} */ (fsPromises);
  patched.readFile = (/** @type {any} */ file, /** @type {any[]} */ ...rest) =>
    String(file).endsWith("pyodide.asm.wasm")
      ? Promise.resolve(new Uint8Array(PLACEHOLDER_BYTES))
      : readFile(file, ...rest);
  module.syncBuiltinESMExports();
  /** @type {any} */ (WebAssembly).instantiate = async (
    /** @type {any} */ source,
    /** @type {any} */ imports,
  ) => {
    if (source?.byteLength !== PLACEHOLDER_BYTES) return instantiate(source, imports);
    const compiledModule = await compiled;
    const memory = () => /** @type {any} */ (instance.exports.memory);
    const instance = await instantiate(compiledModule, withOurs(imports, memory, signalCheck));
    if (image) growMemory(memory(), image.memoryBytes);
    return { module: compiledModule, instance };
  };
  if (image)
    Int8Array.prototype.set = /** @this {Int8Array} */ function (
      /** @type {ArrayLike<number>} */ source,
      /** @type {number | undefined} */ offset,
    ) {
      if (source instanceof Uint8Array && source.buffer === image.header.buffer) image.restore(this);
      else set.call(this, source, offset);
    };
  return () => {
    patched.readFile = readFile;
    WebAssembly.instantiate = instantiate;
    Int8Array.prototype.set = set;
    module.syncBuiltinESMExports();
  };
}

/**
 * @param {any} imports
 * @param {() => WebAssembly.Memory} memory
 * @param {Function | undefined} signalCheck
 */
function withOurs(imports, memory, signalCheck) {
  /** @type {Record<string | symbol, Function>} */
  const ours = {
    ...hideSuspendedFrames(imports.env, memory),
    ...(signalCheck && { _Py_CheckEmscriptenSignals_Helper: signalCheck }),
    ...(isInForce() && { _emscripten_system: emscriptenSystem }),
  };
  for (const name of Object.keys(ours))
    if (!(name in imports.env)) throw new Error(`this Pyodide does not import ${name}`);
  const env = new Proxy(imports.env, { get: (target, key) => ours[key] ?? target[key] });
  return { ...imports, env };
}

/**
 * The memory of an interpreter that was booted with makeSnapshot, and what Pyodide puts before it.
 * @param {Pyodide} pyodide
 * @returns {{ header: Uint8Array, memory: Uint8Array }}
 */
export function takeSnapshot(pyodide) {
  const snapshot = pyodide.makeMemorySnapshot();
  const start = new DataView(snapshot.buffer, snapshot.byteOffset).getUint32(4, true);
  return { header: snapshot.subarray(0, start), memory: snapshot.subarray(start) };
}

/**
 * Put monitor/'s package where Python finds it.
 * @param {Pyodide} pyodide
 * @param {string} monitorDir the folder that holds watchglass_monitor/
 */
export function mountMonitor(pyodide, monitorDir) {
  const folder = path.join(monitorDir, "watchglass_monitor");
  pyodide.FS.mkdirTree(`${MONITOR_FOLDER}/watchglass_monitor`);
  for (const name of fs.readdirSync(folder))
    if (name.endsWith(".py"))
      pyodide.FS.writeFile(
        `${MONITOR_FOLDER}/watchglass_monitor/${name}`,
        fs.readFileSync(path.join(folder, name)),
      );
  pyodide.runPython(`import sys; sys.path.append(${JSON.stringify(MONITOR_FOLDER)}); del sys`);
}

/**
 * @param {string} folder
 * @param {string} name
 */
function fileUrl(folder, name) {
  return pathToFileURL(path.join(folder, name)).href;
}

/**
 * The kernel's entries (monitor/watchglass_monitor/kernel.py), which the code in them can suspend.
 * @typedef {object} Kernel
 * @property {(requestId: number, number: number, code: string, store: boolean) => Promise<void>} execute
 * @property {() => Promise<void>} serve
 * @property {() => Promise<void>} interrupt
 * @property {() => Promise<number>} tick
 * @property {() => Promise<void>} step
 * @property {string} rung
 * @property {string} python
 */

/**
 * Start the kernel on this host.
 * @param {Pyodide} pyodide
 * @param {object} host what the kernel may ask for
 * @param {(error: unknown) => void} fail what to do when an entry failed
 * @returns {Kernel}
 */
export function startKernel(pyodide, host, fail) {
  const kernel = pyodide.pyimport("watchglass_monitor.in_pyodide").start(host);
  const { worker, rung, python } = kernel;
  const workers = new Workers(worker, fail);
  return {
    execute: (...args) => workers.call("execute", ...args),
    serve: () => workers.call("serve"),
    interrupt: () => workers.call("interrupt"),
    tick: () => workers.call("tick"),
    step: () => workers.call("step"),
    rung,
    python,
  };
}
