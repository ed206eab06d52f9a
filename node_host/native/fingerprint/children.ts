/** What an object refers to, as its type tells the garbage collector: C code, that runs no other. */
import { mix } from "./hash";
import { at, flag, flagsOf, slot, typeOf } from "./layout";
import { facts } from "./walk";

/** Room for the children of all objects on the way; who has more is left to Python. */
export const CHILDREN_BYTES: u32 = 1 << 16;
const INLINE_GAP: u64 = 0x10000;
const ANY_DICT: u32 = 1;
const NO_DICT: u32 = 0;
const ALL: u32 = u32.MAX_VALUE;
/** Stands among the children for the object's own type: its attributes are not the object's. */
export const OWN_TYPE: u32 = 0;

let visitor: u32 = 0, room: u32 = 0, end: u32 = 0;
let type: u32 = 0, ownDict: u32 = 0, inlineValues: u32 = 0, isFull = false;
let attributesLeft: u32 = 0; // that are the type itself; the next one is no attribute

/** `index` is where `visit` is in the interpreter's table. */
export function learnVisitor(index: u32, children: u32): void {
  visitor = index;
  room = children;
}

/** Forget all children from the one at `first` on. */
export function freeChildren(first: u32): void {
  end = first;
}

export function noChildren(): void {
  end = room;
}

/** Where the children begin that come next. */
export function nextChild(): u32 {
  return end;
}

/**
 * Collect the attributes of an object: its slots and the values of its `__dict__`. What its builtin
 * base holds comes behind the type, and is left out. False when there are too many.
 */
export function collectAttributes(object: u32, base: u32): bool {
  const its = typeOf(object);
  return collect(object, load<u32>(its, slot.TRAVERSE), countAttributes(object, base, its));
}

/** Collect all that an object refers to, as one of the types above it tells. */
export function collectReferents(object: u32, told: u32): bool {
  return collect(object, load<u32>(told, slot.TRAVERSE), ALL);
}

function collect(object: u32, traverse: u32, ownTypes: u32): bool {
  if (!traverse) return true;
  type = typeOf(object);
  attributesLeft = ownTypes;
  isFull = false;
  findDict(object);
  call_indirect<i32>(traverse, object, visitor, 0);
  return !isFull;
}

/** The `__dict__` of an object, which is made when someone asks for it, and says nothing new then. */
function findDict(object: u32): void {
  const flags = flagsOf(type), offset = load<i32>(type, slot.DICT_OFFSET);
  inlineValues = 0;
  if (flags & flag.MANAGED_DICT) ownDict = load<u32>(object - <u32>at.MANAGED_DICT);
  else if (offset > 0) ownDict = load<u32>(object + offset);
  else ownDict = offset < 0 ? ANY_DICT : NO_DICT;
  if (flags & flag.INLINE_VALUES) inlineValues = object + load<u32>(type, slot.BASIC_SIZE);
}

/** Called by a type for each object that one of its objects refers to; 1 ends it. */
export function visit(child: u32, _: u32): i32 {
  if (child == type) {
    if (attributesLeft == 0) return 1;
    if (attributesLeft != ALL) attributesLeft--;
    child = OWN_TYPE;
  } else if (ownDict && (child == ownDict || ownDict == ANY_DICT) && typeOf(child) == facts.dictType) {
    if (load<u32>(child, at.SIZE) == 0) return 0;
    if (inlineValues && load<u32>(child, at.DICT_VALUES) == inlineValues) return 0;
  }
  if (end == room + CHILDREN_BYTES) {
    isFull = true;
    return 1;
  }
  store<u32>(end, child);
  end += 4;
  return 0;
}

/** Which attributes are not there: the values alone do not tell whose they are. */
export function mixGaps(object: u32, base: u32): void {
  eachAttribute(object, base, 0, true);
}

/** How many attributes have this value. */
function countAttributes(object: u32, base: u32, value: u32): u32 {
  return eachAttribute(object, base, value, false);
}

/** Slots, then the values that lie behind the object: {capacity, size, embedded, valid}, values. */
function eachAttribute(object: u32, base: u32, value: u32, mixes: bool): u32 {
  let found: u32 = 0;
  const its = typeOf(object), size = load<u32>(its, slot.BASIC_SIZE);
  const weaklist = load<u32>(its, slot.WEAKLIST_OFFSET), dict = load<u32>(its, slot.DICT_OFFSET);
  for (let place = load<u32>(base, slot.BASIC_SIZE); place + 4 <= size; place += 4) {
    const item = load<u32>(object + place);
    if (place == weaklist || place == dict) continue;
    if (item == value) found++;
    if (mixes && item == 0) mix(place);
  }
  if (!(flagsOf(its) & flag.INLINE_VALUES) || !load<u8>(object + size, 3)) return found;
  const capacity = <u32>load<u8>(object + size);
  for (let i: u32 = 0; i < capacity; i++) {
    const item = load<u32>(object + size + 4 + i * 4);
    if (item == value) found++;
    if (mixes && item == 0) mix(INLINE_GAP + i);
  }
  return found;
}
