// Bench ⇄ npm's `spacetimedb`: decodes and encodes rows; the twin of `codec` in sdk_python.py.
//
//   node codec.mjs TABLE ROWS_FILE PASSES → a line of JSON
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { AlgebraicType, BinaryReader, BinaryWriter, Identity, Option, ProductType, Timestamp } from "spacetimedb";

const COLUMNS = {
  player: {
    id: AlgebraicType.U64,
    name: AlgebraicType.String,
    x: AlgebraicType.F32,
    y: AlgebraicType.F32,
    z: AlgebraicType.F32,
    score: AlgebraicType.I64,
    online: AlgebraicType.Bool,
    level: Option.getAlgebraicType(AlgebraicType.U32),
    owner: Identity.getAlgebraicType(),
    seen: Timestamp.getAlgebraicType(),
  },
  item: {
    id: AlgebraicType.U64,
    name: AlgebraicType.String,
    weight: AlgebraicType.F64,
    level: Option.getAlgebraicType(AlgebraicType.I32),
  },
};

const [table, file, passes] = process.argv.slice(2);
const type = { elements: Object.entries(COLUMNS[table]).map(([name, algebraicType]) => ({ name, algebraicType })) };
const data = new Uint8Array(readFileSync(file));

let rows = [];
const decode = timed(() => {
  const deserialize = ProductType.makeDeserializer(type);
  const reader = new BinaryReader(data);
  rows = [];
  while (reader.remaining > 0) rows.push(deserialize(reader));
});

let encoded = data;
const encode = timed(() => {
  const serialize = ProductType.makeSerializer(type);
  const writer = new BinaryWriter(1024);
  for (const row of rows) serialize(writer, row);
  encoded = writer.getBuffer();
});

const digest = createHash("sha256").update(encoded).digest("hex");
console.log(JSON.stringify({ decode, encode, rows: rows.length, digest }));

/** The seconds of each pass. */
function timed(pass) {
  const taken = [];
  for (let number = 0; number < Number(passes); number++) {
    const began = performance.now();
    pass();
    taken.push((performance.now() - began) / 1000);
  }
  return taken;
}
