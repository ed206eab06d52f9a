// Builds src/native/*.wat into .wasm files beside them; with --check, says which of these are stale.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import wabt from "wabt";

const folder = fileURLToPath(new URL("src/native/", import.meta.url));
const isCheck = process.argv.includes("--check");
const tools = await wabt();
const sources = (await readdir(folder)).filter((file) => file.endsWith(".wat"));
const expected = new Set(sources.map(builtName));
const stale = (await readdir(folder)).filter((file) => file.endsWith(".wasm") && !expected.has(file));

for (const source of sources) {
  const built = assemble(source, await readFile(folder + source, "utf8"));
  const there = await readFile(folder + builtName(source)).catch(() => undefined);
  if (there && there.equals(built)) continue;
  if (isCheck) stale.push(builtName(source));
  else await writeFile(folder + builtName(source), built);
}
if (stale.length) {
  console.error(`${stale.join(", ")} in ${folder}: not what their sources give. Run: make native`);
  process.exitCode = 1;
}

/** @param {string} source */
function builtName(source) {
  return source.replace(/\.wat$/, ".wasm");
}

/**
 * @param {string} name
 * @param {string} text
 */
function assemble(name, text) {
  const parsed = tools.parseWat(name, text, { bulk_memory: true, mutable_globals: true });
  try {
    parsed.validate();
    return Buffer.from(parsed.toBinary({ canonicalize_lebs: true }).buffer);
  } finally {
    parsed.destroy();
  }
}
