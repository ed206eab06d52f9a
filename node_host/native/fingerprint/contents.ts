/** What each kind of object holds, one step after another. */
import { collectAttributes, collectReferents, freeChildren, mixGaps, nextChild, OWN_TYPE } from "./children";
import { mix, mixBytes, mixTyped } from "./hash";
import { isFromMain, kind, kindOf, solidBase, SUBCLASS } from "./kinds";
import { at, slot, typeOf } from "./layout";
import { mixView, walkMemory } from "./memory";
import { mixPlain, mixScalar } from "./scalars";
import { numberOf } from "./seen";
import { facts, Frame, isOver, limit, MAX_DEPTH, MAX_VALUES, spend, stage, state, status, stop, walk, work } from "./walk";

@external("env", "PyDict_Next")
declare function PyDict_Next(dict: u32, position: u32, key: u32, value: u32): i32;

const SEEN: u64 = 0x5ee9_0000_0000;
const CONTAINER_WORK: u32 = 6;
const FUNCTION_PARTS: u32 = 5;
export const VALUE_NEXT: u32 = 1; // a dict's key was entered, its value was not yet
export const SCRATCH_BYTES: u32 = 16;

let scratch: u32 = 0;
export function learnScratch(address: u32): void {
  scratch = address;
}

/** Come to an object: mix in what it is, and open it if it holds others. */
export function enter(object: u32): void {
  const type = typeOf(object);
  if (mixPlain(object, type)) return;
  const its = kindOf(type), base = solidBase;
  if (mixScalar(object, type, its)) return;
  if (its == kind.LEAF || its == kind.INSTANCE || (its == kind.CLASS && !isFromMain(object))) {
    mixTyped(type, object);
    return;
  }
  if ((its & 0xff) == kind.FOREIGN) return stop(status.FOREIGN);
  const number = numberOf(walk, object);
  if (number) return mix(SEEN + number);
  spend(CONTAINER_WORK);
  if (walk.depth == MAX_DEPTH || ++walk.values > MAX_VALUES) {
    mixTyped(type, 0);
    walk.isTruncated = 1;
    return;
  }
  open(object, type, its, base);
}

function open(object: u32, type: u32, its: u32, base: u32): void {
  const frame = walk.frame(walk.depth++);
  frame.object = object;
  frame.type = type;
  frame.kind = its;
  frame.stage = stage.OWN;
  frame.position = frame.first = frame.count = 0;
  mixToken(frame, base);
}

/** What identifies an object beside what it holds. */
function mixToken(frame: Frame, base: u32): void {
  const object = frame.object, type = frame.type;
  switch (frame.kind & 0xff) {
    case kind.LIST: case kind.TUPLE: case kind.DICT: case kind.SEQUENCE:
      return mixTyped(type, load<u32>(object, at.SIZE));
    case kind.BYTEARRAY:
      mixTyped(type, load<u32>(object, at.SIZE));
      return mix(load<u32>(object, at.BYTEARRAY_ALLOCATED));
    case kind.DEFAULT_DICT:
      mixTyped(type, load<u32>(object, at.SIZE));
      return mix(load<u32>(object, at.DICT_END));
    case kind.SET:
      return mixTyped(type, load<u32>(object, at.SET_USED));
    case kind.ARRAY:
      mixTyped(type, load<u32>(object, at.SIZE));
      mix(load<u32>(object, at.ARRAY_ALLOCATED));
      return mix(load<u32>(object, at.ARRAY_DESCRIPTION));
    case kind.MEMORYVIEW:
      return mixView(object, type);
    case kind.ITERATOR:
      mixTyped(type, object);
      return mixBytes(object + <u32>at.SIZE, load<u32>(type, slot.BASIC_SIZE) - <u32>at.SIZE);
    case kind.FUNCTION:
      mixTyped(type, object);
      return mix(load<u32>(object + facts.functionCode));
    default:
      mixTyped(type, object);
      if (frame.kind & SUBCLASS) mixScalar(object, type, frame.kind & 0xff);
  }
}

/** Walk on until the walk is complete or has to stop. */
export function walkOn(): void {
  while (walk.depth && state == status.RUNNING) {
    const depth = walk.depth, frame = walk.frame(depth - 1);
    if (frame.stage == stage.OWN) walkOwn(frame);
    else walkItems(frame, frame.first, frame.count);
    if (walk.depth != depth || state != status.RUNNING) continue;
    if (frame.stage == stage.OWN && hasAttributes(frame.kind)) openAttributes(frame);
    else {
      if (frame.stage == stage.ATTRIBUTES) freeChildren(frame.first);
      walk.depth--;
    }
  }
}

/** Go on with what the builtin base holds; returns when it is at the end, deeper, or has to stop. */
function walkOwn(frame: Frame): void {
  const object = frame.object;
  switch (frame.kind & 0xff) {
    case kind.LIST: return walkItems(frame, load<u32>(object, at.ITEMS), load<u32>(object, at.SIZE));
    case kind.TUPLE: return walkItems(frame, object + facts.tupleItems, load<u32>(object, at.SIZE));
    case kind.DICT: case kind.DEFAULT_DICT: return walkDict(frame, object, false);
    case kind.CLASS: return walkDict(frame, load<u32>(object, slot.DICT), true);
    case kind.SET: return walkSet(frame);
    case kind.FUNCTION: return walkParts(frame);
    case kind.BYTEARRAY: case kind.ARRAY: case kind.MEMORYVIEW: case kind.BUFFER: return walkMemory(frame);
  }
}

function hasAttributes(its: u32): bool {
  const base = its & 0xff;
  if (its & SUBCLASS) return true;
  return base == kind.REFERRING || base == kind.ITERATOR || base == kind.SEQUENCE || base == kind.BUFFER;
}

function openAttributes(frame: Frame): void {
  const first = nextChild();
  if (!collectChildren(frame)) return stop(status.FOREIGN);
  if (frame.kind & SUBCLASS) {
    kindOf(frame.type);
    mixGaps(frame.object, solidBase);
  }
  frame.stage = stage.ATTRIBUTES;
  frame.position = 0;
  frame.first = first;
  frame.count = (nextChild() - first) >> 2;
}

/** The same each time, as long as nothing is stored into the object. */
export function collectChildren(frame: Frame): bool {
  kindOf(frame.type);
  const base = frame.kind & 0xff, solid = solidBase;
  if (base == kind.REFERRING || base == kind.ITERATOR || base == kind.BUFFER)
    return collectReferents(frame.object, frame.type);
  if (base == kind.SEQUENCE && !collectReferents(frame.object, solid)) return false;
  return frame.kind & SUBCLASS ? collectAttributes(frame.object, solid) : true;
}

function walkItems(frame: Frame, items: u32, count: u32): void {
  // Most items are numbers and texts.
  const depth = walk.depth;
  for (let i = frame.position; i < count; ) {
    const item = load<u32>(items + i++ * 4);
    spend(1);
    if (item != OWN_TYPE && mixPlain(item, typeOf(item))) {
      if (work < limit) continue;
      frame.position = i;
      if (isOver()) return;
      continue;
    }
    frame.position = i;
    if (item == OWN_TYPE) mix(i);
    else enter(item);
    if (isOver() || walk.depth != depth || state != status.RUNNING) return;
  }
  frame.position = count;
}

function walkSet(frame: Frame): void {
  const depth = walk.depth, mask = load<u32>(frame.object, at.SET_MASK);
  const table = load<u32>(frame.object, at.SET_TABLE);
  for (let i = frame.position; i <= mask; ) {
    const item = load<u32>(table + i * 8), its = load<i32>(table + i * 8, 4);
    frame.position = ++i;
    spend(1);
    if (item && its != -1) enter(item); // -1: where one was removed
    if (isOver() || walk.depth != depth || state != status.RUNNING) return;
  }
}

function walkDict(frame: Frame, dict: u32, isClass: bool): void {
  const depth = walk.depth;
  for (;;) {
    store<u32>(scratch, frame.position);
    if (!PyDict_Next(dict, scratch, scratch + 4, scratch + 8)) return;
    const key = load<u32>(scratch, 4), value = load<u32>(scratch, 8), next = load<u32>(scratch);
    if (isClass && !isOwnName(key)) {
      frame.position = next;
      continue;
    }
    if (frame.first != VALUE_NEXT) {
      frame.first = VALUE_NEXT;
      enter(key);
      if (walk.depth != depth || state != status.RUNNING) return;
    }
    frame.first = 0;
    frame.count = frame.position;
    frame.position = next;
    enter(value);
    spend(2);
    if (isOver() || walk.depth != depth || state != status.RUNNING) return;
  }
}

/** Of a class: a name that its user wrote, not one like `__doc__`. */
function isOwnName(key: u32): bool {
  if (typeOf(key) != facts.strType) return false;
  const length = load<u32>(key, at.SIZE);
  if (length < 4 || !(load<u32>(key, at.TEXT_STATE) & facts.asciiBit)) return true;
  const text = key + <u32>at.TEXT_ASCII;
  return load<u16>(text) != 0x5f5f || load<u16>(text + length - 2) != 0x5f5f;
}

function walkParts(frame: Frame): void {
  const depth = walk.depth;
  while (frame.position < FUNCTION_PARTS) {
    const part = functionPart(frame.object, frame.position++);
    if (part) enter(part);
    else mix(0);
    if (walk.depth != depth || state != status.RUNNING) return;
  }
}

/** Defaults, keyword defaults, closure, attributes, annotations. */
export function functionPart(object: u32, index: u32): u32 {
  const offset = index < 4 ? (facts.functionParts >> (index * 8)) & 0xff : facts.functionAnnotations;
  const part = load<u32>(object + offset);
  // Made when someone asks for it, and empty then.
  return part && typeOf(part) == facts.dictType && load<u32>(part, at.SIZE) == 0 ? 0 : part;
}
