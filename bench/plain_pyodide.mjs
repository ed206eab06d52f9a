/** Pyodide as it is, with nothing of Watchglass in it: runs programs, each line of standard input one. */
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [pyodideDir] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodideDir}/pyodide.mjs`).href);
const printed = [];
const pyodide = await loadPyodide({ stdout: (line) => printed.push(line) });
process.stdout.write("ready\n");

for await (const line of createInterface({ input: process.stdin })) {
  const { code } = JSON.parse(line);
  printed.length = 0;
  let error = null;
  try {
    await pyodide.runPythonAsync(code);
  } catch (problem) {
    error = String(problem);
  }
  process.stdout.write(`${JSON.stringify({ text: printed.join("\n"), error })}\n`);
}
