/** WebAssembly text → its bytes, on standard output: node side_module.mjs FILE.wat */
import fs from "node:fs";

import wabt from "../../node_host/node_modules/wabt/index.js";

const file = process.argv[2];
const { parseWat } = await wabt();
process.stdout.write(parseWat(file, fs.readFileSync(file, "utf8")).toBinary({}).buffer);
