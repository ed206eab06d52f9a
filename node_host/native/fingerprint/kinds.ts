/** A type -> how its objects are walked over. What is not known here is left to Python's walk. */
import { at, Facts, flag, flagsOf, slot, typeOf } from "./layout";
import { freshHash, hash, mixBytes, startHash } from "./hash";

@external("env", "PyDict_Next")
declare function PyDict_Next(dict: u32, position: u32, key: u32, value: u32): i32;

/** The numbers of native_layout.py. */
export namespace kind {
  export const UNKNOWN: u32 = 0;
  export const FOREIGN: u32 = 1;
  export const CONSTANT: u32 = 2;
  export const LEAF: u32 = 3;
  export const INT: u32 = 4;
  export const FLOAT: u32 = 5;
  export const COMPLEX: u32 = 6;
  export const TEXT: u32 = 7;
  export const BYTES: u32 = 8;
  export const LIST: u32 = 9;
  export const TUPLE: u32 = 10;
  export const DICT: u32 = 11;
  export const DEFAULT_DICT: u32 = 12;
  export const SET: u32 = 13;
  export const SEQUENCE: u32 = 14; // what its traverse shows, and the length: deque
  export const BYTEARRAY: u32 = 15;
  export const ARRAY: u32 = 16;
  export const MEMORYVIEW: u32 = 17;
  export const REFERRING: u32 = 18;
  export const ITERATOR: u32 = 19;
  export const FUNCTION: u32 = 20;
  export const INSTANCE: u32 = 21;
  export const CLASS: u32 = 22;
  export const BUFFER: u32 = 23; // any other type of C that hands out memory
  export const MOMENT: u32 = 24; // datetime, time: the zone is there only when there is one
  export const RAW: u32 = 25; // date, timedelta
  export const DECIMAL: u32 = 26;
}
/** Beside the kind of its builtin base: an instance of a class that Python code defined. */
export const SUBCLASS: u32 = 0x100;

const MAX_BASES = 200;
const MAX_TYPES: u32 = 512;
const MAX_MODULES: u32 = 64;
const TYPE_ENTRY: u32 = 8; // {type, kind}
const MODULE_ENTRY: u32 = 16; // {hash of the name, kind}
const CACHE_ENTRY: u32 = 16; // {type, call, kind, builtin base}
const CACHED: u32 = 64;
const SCRATCH_BYTES: u32 = 64;
/** What `tables` has to point to. */
export const KINDS_BYTES: u32 =
  MAX_TYPES * TYPE_ENTRY + MAX_MODULES * MODULE_ENTRY + CACHED * CACHE_ENTRY + SCRATCH_BYTES;

let types: u32 = 0, modules: u32 = 0, cache: u32 = 0, scratch: u32 = 0;
let knownModules: u32 = 0, call: u32 = 0;
let pythonDealloc: u32 = 0, pythonTraverse: u32 = 0, pythonBuffer: u32 = 0;
let moduleName: u32 = 0, mainName: u32 = 0, asciiBits: u32 = 0;
/** The builtin base of the type that was classified last. */
export let solidBase: u32 = 0;

/** Take over what Python tells of types and modules; `tables` holds zeros. */
export function learnKinds(facts: Facts, tables: u32): void {
  types = tables;
  modules = types + MAX_TYPES * TYPE_ENTRY;
  cache = modules + MAX_MODULES * MODULE_ENTRY;
  scratch = cache + CACHED * CACHE_ENTRY;
  pythonDealloc = load<u32>(facts.pythonClass, slot.DEALLOC);
  pythonTraverse = load<u32>(facts.pythonClass, slot.TRAVERSE);
  pythonBuffer = load<u32>(load<u32>(facts.bufferClass, slot.AS_BUFFER));
  asciiBits = facts.asciiBit | facts.compactBit;
  moduleName = facts.moduleName;
  mainName = facts.mainName;
  const listed = load<u32>(facts.types, at.ITEMS), itsKinds = load<u32>(facts.typeKinds, at.BYTEARRAY_START);
  const count = load<u32>(facts.types, at.SIZE);
  for (let i: u32 = 0; i < min(count, MAX_TYPES / 2); i++) {
    const entry = entryOf(load<u32>(listed + i * 4));
    store<u32>(entry, load<u32>(listed + i * 4));
    store<u32>(entry, load<u8>(itsKinds + i), 4);
  }
  const names = load<u32>(facts.modules, at.ITEMS), kinds = load<u32>(facts.moduleKinds, at.BYTEARRAY_START);
  knownModules = min(load<u32>(facts.modules, at.SIZE), MAX_MODULES);
  for (let i: u32 = 0; i < knownModules; i++) {
    store<u64>(modules + i * MODULE_ENTRY, nameHash(load<u32>(names + i * 4), false));
    store<u32>(modules + i * MODULE_ENTRY, load<u8>(kinds + i), 8);
  }
}

/** Types may have been freed, and others be where they were. */
export function forgetKinds(): void {
  call++;
}

/** The kind of the objects of a type, and `solidBase`. */
export function kindOf(type: u32): u32 {
  const cached = cache + ((type >> 4) & (CACHED - 1)) * CACHE_ENTRY;
  if (load<u32>(cached) == type && load<u32>(cached, 4) == call) {
    solidBase = load<u32>(cached, 12);
    return load<u32>(cached, 8);
  }
  const found = classify(type);
  store<u32>(cached, type);
  store<u32>(cached, call, 4);
  store<u32>(cached, found, 8);
  store<u32>(cached, solidBase, 12);
  return found;
}

/** Whether a class is the session's own: only these are looked into. */
export function isFromMain(type: u32): bool {
  return isPythonClass(type) && moduleOf(type) == mainName;
}

/** Whether an object hands out its memory without running Python code. */
export function hasNativeBuffer(type: u32): bool {
  const procs = load<u32>(type, slot.AS_BUFFER);
  if (!procs) return false;
  const get = load<u32>(procs);
  return get != 0 && get != pythonBuffer;
}

function classify(type: u32): u32 {
  solidBase = type;
  const known = load<u32>(entryOf(type), 4);
  if (known) return known;
  if (flagsOf(type) & flag.TYPE) return kind.CLASS; // of its objects, which are types
  if (flagsOf(type) & flag.EXCEPTION) return kind.REFERRING;
  if (!isPythonClass(type)) return hasNativeBuffer(type) ? kind.BUFFER : kind.FOREIGN;
  const byModule = kindByModule(type);
  if (byModule != kind.UNKNOWN) return byModule;
  for (let i = 0; i < MAX_BASES && isPythonClass(solidBase); i++) solidBase = load<u32>(solidBase, slot.BASE);
  const base = load<u32>(entryOf(solidBase), 4);
  return canBeExtended(base) ? base | SUBCLASS : kind.FOREIGN;
}

function canBeExtended(base: u32): bool {
  if (base == kind.UNKNOWN || base == kind.FOREIGN || base == kind.CONSTANT || base == kind.LEAF) return false;
  return base != kind.MOMENT && base != kind.RAW && base != kind.DECIMAL;
}

/**
 * Whether a class statement made it: with the functions that Python gives such classes, and nothing
 * in its objects but slots. A type of C may have some of these functions, and room for more.
 */
function isPythonClass(type: u32): bool {
  const flags = flagsOf(type), base = load<u32>(type, slot.BASE);
  if (!(flags & flag.HEAP_TYPE) || !base || load<u32>(type, slot.DEALLOC) != pythonDealloc) return false;
  if (flags & flag.COLLECTED && load<u32>(type, slot.TRAVERSE) != pythonTraverse) return false;
  const room = load<u32>(type, slot.BASIC_SIZE) - load<u32>(base, slot.BASIC_SIZE);
  const slots = load<u32>(type, at.SIZE) * 4;
  return room == slots || (room == slots + 4 && load<i32>(type, slot.DICT_OFFSET) == -4);
}

function entryOf(type: u32): u32 {
  let index = (type * 0x9e3779b1) >> 16, entry: u32 = 0;
  do entry = types + (index++ & (MAX_TYPES - 1)) * TYPE_ENTRY;
  while (load<u32>(entry) != type && load<u32>(entry) != 0);
  return entry;
}

function kindByModule(type: u32): u32 {
  const name = moduleOf(type);
  if (name == mainName) return kind.UNKNOWN;
  if (!name || !isAscii(name)) return kind.FOREIGN;
  const whole = nameHash(name, false), first = nameHash(name, true);
  for (let i: u32 = 0; i < knownModules; i++) {
    const each = load<u64>(modules + i * MODULE_ENTRY);
    if (each == whole || each == first) return load<u32>(modules + i * MODULE_ENTRY, 8);
  }
  return kind.UNKNOWN;
}

/** The name of the module that a class says it is from; 0 when it says nothing. */
function moduleOf(type: u32): u32 {
  const dict = load<u32>(type, slot.DICT);
  if (!dict) return 0;
  store<u32>(scratch, 0);
  while (PyDict_Next(dict, scratch, scratch + 4, scratch + 8))
    if (load<u32>(scratch, 4) == moduleName) return load<u32>(scratch, 8);
  return 0;
}

function isAscii(text: u32): bool {
  return typeOf(text) == typeOf(moduleName) && (load<u32>(text, at.TEXT_STATE) & asciiBits) == asciiBits;
}

/** Of an ASCII name, or of its part before the first dot. */
function nameHash(text: u32, isFirst: bool): u64 {
  const before = hash;
  const start = text + <u32>at.TEXT_ASCII;
  let length = load<u32>(text, at.SIZE);
  if (isFirst) for (let i: u32 = 0; i < length; i++) if (load<u8>(start + i) == 0x2e) length = i;
  freshHash();
  mixBytes(start, length);
  const found = hash;
  startHash(before);
  return found;
}
