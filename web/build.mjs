// Builds the page into dist/: bundled, hashed names, relative addresses; only the sandbox has its script inline.
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));
const finished = join(root, "dist");
// Built beside the old one and then renamed, so that a server that runs never sees half a page.
const dist = join(root, `.dist-${process.pid}`);

try {
  const page = await bundle({ main: join(root, "src/main.tsx") }, "esm");
  const sandbox = await bundle({ output: join(root, "src/output_document.ts") }, "iife");
  await writeHtml("index.html", page);
  await writeSandbox(sandbox);
  await rm(finished, { recursive: true, force: true });
  await rename(dist, finished);
} finally {
  await rm(dist, { recursive: true, force: true });
}

async function bundle(entryPoints, format) {
  await mkdir(dist, { recursive: true });
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    entryNames: "[name]-[hash]",
    bundle: true,
    format,
    minify: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  return Object.keys(result.metafile.outputs).map((file) => basename(file));
}

async function writeHtml(name, files) {
  let html = await readFile(join(root, name), "utf8");
  for (const file of files) {
    const [stem, kind] = [file.slice(0, file.lastIndexOf("-")), file.slice(file.lastIndexOf(".") + 1)];
    html = html.replaceAll(`{{${stem}.${kind}}}`, file);
  }
  if (html.includes("{{")) throw new Error(`${name} names a file that the build did not make`);
  await writeFile(join(dist, name), html);
}

/** Its policy lets it load nothing, from nowhere: so what it needs stands in it. */
async function writeSandbox([file]) {
  const script = (await readFile(join(dist, file), "utf8")).trim().replaceAll("</script", "<\\/script");
  const html = await readFile(join(root, "output.html"), "utf8");
  await writeFile(join(dist, "output.html"), html.replace("{{output.js}}", () => script));
  await rm(join(dist, file));
}
