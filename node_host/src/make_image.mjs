/** Server → image file: an interpreter that has our kernel in it, written once, started from often. */
import fs from "node:fs";

import { readImageConfig } from "./config.mjs";
import { messageOf } from "./fatal.mjs";
import { boot, mountMonitor, takeSnapshot } from "./interpreter.mjs";
import { PyodideCode } from "./pyodide_code.mjs";
import { packImage } from "./snapshot.mjs";

/**
 * @param {import("./config.mjs").ImageConfig} config
 */
async function makeImage({ out, ...folders }) {
  const code = new PyodideCode(folders.pyodideDir);
  const pyodide = await boot({ ...folders, code, makeSnapshot: true });
  mountMonitor(pyodide, folders.monitorDir);
  pyodide.pyimport("watchglass_monitor.warm_up").warm_up();
  fs.writeFileSync(out, packImage(takeSnapshot(pyodide), code.compiled()));
}

try {
  await makeImage(readImageConfig(process.argv[2]));
  process.exit(0); // Pyodide's keep-alive would hold the event loop
} catch (error) {
  console.error(messageOf(error));
  process.exit(1);
}
