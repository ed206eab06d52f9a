/**
 * Object -> fingerprint: walks over what objects of the interpreter hold, in its own memory. Runs no
 * Python code, makes no object, counts no reference. Its caller is node_host/src/fingerprints.mjs;
 * native_fingerprint.py says what it finds, and fingerprint.py is the walk that does the same in
 * Python.
 */
import { CHILDREN_BYTES, learnVisitor, nextChild, noChildren } from "./fingerprint/children";
import { collectChildren, enter, functionPart, learnScratch, SCRATCH_BYTES, VALUE_NEXT, walkOn } from "./fingerprint/contents";
import { freshHash, hash, startHash } from "./fingerprint/hash";
import { forgetKinds, kind, kindOf, KINDS_BYTES, learnKinds } from "./fingerprint/kinds";
import { at, buffer, Facts, slot, typeOf } from "./fingerprint/layout";
import { learnBuffer } from "./fingerprint/memory";
import { dropSeen, forgetSeen } from "./fingerprint/seen";
import {
  facts, Frame, learnFacts, spend, stage, state, status, stop, take, Walk, walk, WALK_BYTES, work,
} from "./fingerprint/walk";

export { visit } from "./fingerprint/children";

@external("env", "malloc")
declare function malloc(bytes: u32): u32;
@external("env", "PyDict_Next")
declare function PyDict_Next(dict: u32, position: u32, key: u32, value: u32): i32;
@external("env", "now")
declare function now(): f64;

/** Walks that may be paused at the same time; beside them there is one for scans. */
const PAUSABLE: u32 = 4;
/** What one variable of a scan may take, some 10 microseconds; what takes more is walked by `step`. */
const SMALL_WORK: u32 = 4096;
const CHECK_WORK: u32 = 8192;
const VARIABLE_WORK: u32 = 8;
const RESULT_BYTES: u32 = 16; // {fingerprint, status}
const NO_LIMIT: u32 = u32.MAX_VALUE;

let walks: u32 = 0;
let scratch: u32 = 0;

/**
 * Learn the layout of this interpreter; false when there is no memory.
 * @param told the address of an array of 32-bit numbers: Facts
 * @param visitor where `visit` is in the interpreter's table
 */
export function configure(told: u32, visitor: u32): bool {
  const shared = offsetof<Facts>() + KINDS_BYTES + SCRATCH_BYTES + buffer.BYTES + CHILDREN_BYTES;
  const bytes: u32 = shared + WALK_BYTES * (PAUSABLE + 1);
  let place = malloc(bytes);
  if (!place) return false;
  memory.fill(place, 0, bytes);
  memory.copy(place, load<u32>(told, at.ITEMS), offsetof<Facts>());
  learnFacts(changetype<Facts>(place));
  learnKinds(facts, (place += offsetof<Facts>()));
  learnScratch((scratch = place += KINDS_BYTES));
  learnBuffer((place += SCRATCH_BYTES));
  learnVisitor(visitor, (place += buffer.BYTES));
  walks = place + CHILDREN_BYTES;
  return true;
}

/**
 * Walk over many variables, each small.
 * @param values the address of a list of them
 * @param results the address of an array, two 64-bit numbers for each
 * @returns how many were come to before the deadline
 */
export function scan(values: u32, results: u32, deadline: f64): u32 {
  const count = load<u32>(values, at.SIZE), items = load<u32>(values, at.ITEMS);
  const out = load<u32>(results, at.ITEMS);
  let spent: u32 = 0;
  forgetKinds();
  for (let i: u32 = 0; i < count; i++) {
    begin(walkAt(0), load<u32>(items + i * 4), SMALL_WORK, Infinity);
    tell(out + i * RESULT_BYTES);
    spent += work + VARIABLE_WORK;
    if (spent < CHECK_WORK) continue;
    spent = 0;
    if (now() >= deadline) return i + 1;
  }
  return count;
}

/**
 * Walk over one variable, or on from where its walk was paused.
 * @param number of the walk, from 1
 * @param value the address of the object
 * @param results the address of an array, two 64-bit numbers
 */
export function step(number: u32, value: u32, results: u32, deadline: f64): void {
  const its = walkAt(number);
  forgetKinds();
  if (!its.isPaused) begin(its, value, NO_LIMIT, deadline);
  else resume(its, value, deadline);
  its.isPaused = state == status.PAUSED;
  its.hash = hash;
  tell(load<u32>(results, at.ITEMS));
  if (!its.isPaused) dropSeen(its);
}

/** Give up a walk that is paused. */
export function drop(number: u32): void {
  const its = walkAt(number);
  its.isPaused = 0;
  dropSeen(its);
}

function walkAt(number: u32): Walk {
  return changetype<Walk>(walks + number * WALK_BYTES);
}

function begin(which: Walk, value: u32, mostWork: u32, deadline: f64): void {
  take(which, mostWork, deadline);
  forgetSeen(which);
  noChildren();
  freshHash();
  which.depth = which.values = which.isTruncated = 0;
  enter(value);
  walkOn();
}

function resume(which: Walk, value: u32, deadline: f64): void {
  take(which, NO_LIMIT, deadline);
  startHash(which.hash);
  if (findBack(value)) walkOn();
  else stop(status.DISTURBED);
}

function tell(result: u32): void {
  const found = state == status.RUNNING ? status.COMPLETE : state;
  store<u64>(result, hash);
  store<u64>(result, walk.isTruncated ? found | status.TRUNCATED : found, 8);
}

/**
 * Whether the objects on the way are still where the walk was paused. Each of them is looked at only
 * when the one above has shown that it holds it, so none of them can have been freed.
 */
function findBack(value: u32): bool {
  noChildren();
  for (let i: u32 = 0; i < walk.depth; i++) {
    const frame = walk.frame(i);
    if (frame.object != value || typeOf(value) != frame.type || kindOf(frame.type) != frame.kind) return false;
    if (frame.stage == stage.ATTRIBUTES && !collectAgain(frame)) return false;
    if (i + 1 < walk.depth) value = entered(frame);
    if (!value) return false;
  }
  return true;
}

function collectAgain(frame: Frame): bool {
  const first = nextChild();
  if (!collectChildren(frame)) return false;
  frame.first = first;
  return frame.count == (nextChild() - first) >> 2;
}

/** The object in this one that was entered last; 0 when it is not there any more. */
function entered(frame: Frame): u32 {
  const object = frame.object, last = frame.position - 1;
  if (frame.stage == stage.ATTRIBUTES) return load<u32>(frame.first + last * 4);
  switch (frame.kind & 0xff) {
    case kind.LIST:
      return last < load<u32>(object, at.SIZE) ? load<u32>(load<u32>(object, at.ITEMS) + last * 4) : 0;
    case kind.TUPLE:
      return load<u32>(object + facts.tupleItems + last * 4);
    case kind.SET:
      return inSet(object, last);
    case kind.FUNCTION:
      return functionPart(object, last);
    case kind.CLASS:
      return inDict(frame, load<u32>(object, slot.DICT));
    default:
      return inDict(frame, object);
  }
}

function inSet(object: u32, index: u32): u32 {
  if (index > load<u32>(object, at.SET_MASK)) return 0;
  const entry = load<u32>(object, at.SET_TABLE) + index * 8;
  return load<i32>(entry, 4) == -1 ? 0 : load<u32>(entry);
}

function inDict(frame: Frame, dict: u32): u32 {
  const isKey = frame.first == VALUE_NEXT;
  store<u32>(scratch, isKey ? frame.position : frame.count);
  if (!PyDict_Next(dict, scratch, scratch + 4, scratch + 8)) return 0;
  return isKey ? load<u32>(scratch, 4) : load<u32>(scratch, 8);
}
