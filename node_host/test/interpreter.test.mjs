import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";

import { boot, takeSnapshot } from "../src/interpreter.mjs";
import { PyodideCode } from "../src/pyodide_code.mjs";
import { packImage } from "../src/snapshot.mjs";

const pyodideDir = fileURLToPath(new URL("../node_modules/pyodide", import.meta.url));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "image-"));
after(() => fs.rmSync(folder, { recursive: true }));

test("an image of an interpreter whose memory has grown starts with as much", async () => {
  const code = new PyodideCode(pyodideDir);
  const first = await boot({ pyodideDir, code, makeSnapshot: true });
  const bytes = first._module.HEAP8.length;
  first.runPython("held = [bytearray(b'x') * (1 << 20) for _ in range(40)]");
  const grown = first._module.HEAP8.length;
  assert.ok(grown > bytes);
  const image = path.join(folder, "grown.image");
  fs.writeFileSync(image, packImage(takeSnapshot(first), code.compiled()));

  const second = await boot({ pyodideDir, image });
  assert.equal(second._module.HEAP8.length, grown);
  assert.equal(second.runPython("all(each == b'x' * (1 << 20) for each in held)"), true);
  assert.equal(second.runPython("len([bytearray(1000) for _ in range(10_000)])"), 10_000);
});
