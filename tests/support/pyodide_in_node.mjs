/** Runs a Python program in Node, with Pyodide and a wheel: WHEEL PROGRAM, as files. */

import { readFileSync } from "node:fs";
import process from "node:process";

import { loadPyodide } from "../../node_host/node_modules/pyodide/pyodide.mjs";

const [wheel, program] = process.argv.slice(2);
const pyodide = await loadPyodide();
pyodide.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel");
await pyodide.runPythonAsync(readFileSync(program, "utf8"));
process.exit(0);
