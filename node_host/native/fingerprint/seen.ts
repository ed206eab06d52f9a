/** Which objects a walk has come by already, each with its number. */
import { MAX_SEEN, Walk } from "./walk";

@external("env", "malloc")
declare function malloc(bytes: u32): u32;
@external("env", "free")
declare function free(address: u32): void;

const ENTRY: u32 = 8; // {address, number}; numbers of earlier walks are not valid any more
const FIRST_ENTRIES: u32 = 256;
const LAST_NUMBER: u32 = 0xf0000000;
const KEPT_ENTRIES: u32 = 1 << 14;

/** Forget all objects: those of the walk before, without clearing the table. */
export function forgetSeen(walk: Walk): void {
  if (walk.entries > KEPT_ENTRIES || walk.lastNumber > LAST_NUMBER) dropSeen(walk);
  walk.firstNumber = walk.lastNumber;
}

/** Give the table back. */
export function dropSeen(walk: Walk): void {
  if (walk.table) free(walk.table);
  walk.table = walk.entries = walk.firstNumber = walk.lastNumber = 0;
}

/** The number of an object that was seen before, or 0, and it is from now on. */
export function numberOf(walk: Walk, object: u32): u32 {
  const used = walk.lastNumber - walk.firstNumber;
  if (used * 2 >= walk.entries && !grow(walk)) return isOpen(walk, object);
  const entry = find(walk.table, walk.entries, walk.firstNumber, object);
  const number = load<u32>(entry, 4);
  if (load<u32>(entry) == object && number > walk.firstNumber) return number - walk.firstNumber;
  if (used >= MAX_SEEN) return isOpen(walk, object);
  store<u32>(entry, object);
  store<u32>(entry, ++walk.lastNumber, 4);
  return 0;
}

/** Beyond what is remembered, at least no object is walked over inside of itself. */
function isOpen(walk: Walk, object: u32): u32 {
  for (let i: u32 = 0; i < walk.depth; i++) if (walk.frame(i).object == object) return MAX_SEEN + i;
  return 0;
}

function find(table: u32, entries: u32, first: u32, object: u32): u32 {
  const mask = entries - 1;
  let index = (object * 0x9e3779b1) >> 8, entry: u32 = 0;
  do entry = table + (index++ & mask) * ENTRY;
  while (load<u32>(entry, 4) > first && load<u32>(entry) != object);
  return entry;
}

function grow(walk: Walk): bool {
  const entries = walk.entries ? walk.entries * 4 : FIRST_ENTRIES;
  if (entries > MAX_SEEN * 2) return true; // half of it stays free
  const table = malloc(entries * ENTRY);
  if (!table) return false;
  memory.fill(table, 0, entries * ENTRY);
  for (let i: u32 = 0; i < walk.entries; i++) {
    const entry = walk.table + i * ENTRY;
    if (load<u32>(entry, 4) <= walk.firstNumber) continue;
    store<u64>(find(table, entries, walk.firstNumber, load<u32>(entry)), load<u64>(entry));
  }
  if (walk.table) free(walk.table);
  walk.table = table;
  walk.entries = entries;
  return true;
}
