/** Pyodide's JavaScript, 1.2 MB of it, compiled once for the image: parsing takes 20 ms of a start. */
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

const MODULE = "pyodide.asm.mjs";
const EXPORT = /export default (\w+);\s*$/;
const IMPORT = /(?<![.\w$])import\(/g;

/**
 * The module that makes the interpreter. V8 keeps compiled code of scripts, and Node that of modules
 * only in folders that the process may write: so it becomes a script, with what only modules have
 * given to it.
 */
export class PyodideCode {
  #script;
  #url;

  /**
   * @param {string} pyodideDir
   * @param {Buffer} [compiled] what compiled() gave once; V8 refuses it if it does not fit
   */
  constructor(pyodideDir, compiled) {
    const filename = path.join(pyodideDir, MODULE);
    this.#url = pathToFileURL(filename).href;
    this.#script = new vm.Script(scriptOf(fs.readFileSync(filename, "utf8")), {
      filename,
      ...(compiled && { cachedData: compiled }),
    });
  }

  /** Whether it had to be compiled anew. */
  get isCold() {
    return this.#script.cachedDataRejected !== false;
  }

  /** What loadPyodide() takes as createPyodideModule. */
  create() {
    const load = (/** @type {string} */ name) => import(name);
    return this.#script.runInThisContext()(this.#url, load);
  }

  /** What has been compiled so far, with all functions that have run. */
  compiled() {
    return this.#script.createCachedData();
  }
}

/**
 * @param {string} text of the module
 * @returns {string} of a script whose value is a function that gives the module's export
 */
export function scriptOf(text) {
  if (!EXPORT.test(text)) throw new Error(`${MODULE} does not end with its export`);
  const body = text
    .replace(EXPORT, "return $1;")
    .replaceAll("import.meta.url", "moduleUrl")
    .replaceAll(IMPORT, "loadModule(");
  return `(function (moduleUrl, loadModule) { "use strict"; ${body}\n})`;
}
