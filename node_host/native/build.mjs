/** *.wat and *.ts in FOLDERS -> *.wasm. `--check` builds nothing and says what is not as its source makes it. */
import fs from "node:fs";
import path from "node:path";

import asc from "assemblyscript/asc";
import wabt from "wabt";

const ROOT = path.join(import.meta.dirname, "../..");
const FOLDERS = ["node_host/native", "sdk/spacetimedb_client/module"];
const OPTIONS = [
  ...["-O3", "--converge", "--runtime", "stub", "--noAssert", "--use", "abort="],
  // Everything lies in the interpreter: its memory, and its table of functions.
  ...["--importMemory", "--importTable", "--noExportMemory", "--initialMemory", "1"],
];

/** How each kind of source is compiled: the bytes of the module. */
const COMPILERS = { ".ts": compileAssemblyScript, ".wat": compileText };

/** @param {string} source */
async function compileAssemblyScript(source) {
  /** @type {Uint8Array | undefined} */
  let built;
  const { error, stderr } = await asc.main([source, "--outFile", "built.wasm", ...OPTIONS], {
    readFile: (name, base) => read(path.join(base, name)),
    writeFile: (_, contents) => {
      built = /** @type {Uint8Array} */ (contents);
    },
    listFiles: () => [],
  });
  if (error || !built) throw new Error(`${source} cannot be compiled:\n${stderr}`);
  return built;
}

/** @param {string} source */
async function compileText(source) {
  const tools = await wabt();
  const features = { bulk_memory: true, mutable_globals: true };
  const parsed = tools.parseWat(source, fs.readFileSync(source, "utf8"), features);
  try {
    parsed.validate();
    return parsed.toBinary({ canonicalize_lebs: true }).buffer;
  } finally {
    parsed.destroy();
  }
}

/** @param {string} file */
function read(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null;
}

/** @returns {Promise<Map<string, Uint8Array>>} what each built file has to be */
async function build() {
  const built = new Map();
  for (const name of files()) {
    const compile = COMPILERS[/** @type {keyof typeof COMPILERS} */ (path.extname(name))];
    const { dir, name: stem } = path.parse(name);
    if (compile) built.set(`${dir}/${stem}.wasm`, await compile(path.join(ROOT, name)));
  }
  return built;
}

/** Of all folders, named from the repository's. */
function files() {
  return FOLDERS.flatMap((folder) => fs.readdirSync(path.join(ROOT, folder)).sort().map((name) => `${folder}/${name}`));
}

const isCheck = process.argv.includes("--check");
const built = await build();
for (const name of files().filter((each) => each.endsWith(".wasm") && !built.has(each))) {
  console.error(`${name} has no source: delete it`);
  process.exitCode = 1;
}
for (const [name, bytes] of built) {
  const file = path.join(ROOT, name);
  if (!isCheck) fs.writeFileSync(file, bytes);
  else if (!fs.existsSync(file) || !fs.readFileSync(file).equals(bytes)) {
    console.error(`${name} is not what its source makes: make native`);
    process.exitCode = 1;
  }
}
