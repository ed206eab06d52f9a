/** One walk on its way: no recursion, and nothing that keeps an object alive. */
import { Facts } from "./layout";

export const MAX_DEPTH: u32 = 200;
export const MAX_SEEN: u32 = 1 << 17;
/** Objects that hold others; the same number as in fingerprint.py. */
export const MAX_VALUES: u32 = 4_000_000;

export namespace stage {
  export const OWN: u32 = 0; // what the builtin base holds
  export const ATTRIBUTES: u32 = 1; // what its traverse shows: slots, `__dict__`, referents
}

/** An object that is being walked over, and how far. */
@unmanaged
export class Frame {
  object: u32;
  type: u32;
  kind: u32;
  stage: u32;
  position: u32;
  /** Where its children begin; of a dict: whether a key was entered; of memory: its address. */
  first: u32;
  /** How many children; of a dict: where the entered value is; of memory: its length. */
  count: u32;
}

const FRAME_BYTES: u32 = offsetof<Frame>();

@unmanaged
export class Walk {
  hash: u64;
  depth: u32;
  values: u32;
  isTruncated: u32;
  isPaused: u32;
  table: u32;
  entries: u32;
  firstNumber: u32;
  lastNumber: u32;

  @inline
  frame(index: u32): Frame {
    return changetype<Frame>(changetype<usize>(this) + offsetof<Walk>() + index * FRAME_BYTES);
  }
}

export const WALK_BYTES: u32 = offsetof<Walk>() + MAX_DEPTH * FRAME_BYTES;

export namespace status {
  export const RUNNING: u32 = 0;
  export const COMPLETE: u32 = 1;
  export const PAUSED: u32 = 2;
  export const LARGE: u32 = 3;
  export const FOREIGN: u32 = 4;
  export const DISTURBED: u32 = 5;
  export const TRUNCATED: u32 = 0x100; // beside COMPLETE
}

@external("env", "now")
declare function now(): f64;

const STEP: u32 = 8192; // some 30 microseconds

/** What the present call works on. */
export let walk: Walk = changetype<Walk>(0);
export let facts: Facts = changetype<Facts>(0);
export let state: u32 = 0;
export let work: u32 = 0;
/** The work at which `isOver` looks closer. */
export let limit: u32 = 0;
let most: u32 = 0, deadline: f64 = 0;

export function learnFacts(told: Facts): void {
  facts = told;
}

/** Begin with a walk: at most so much work, and until then. */
export function take(which: Walk, mostWork: u32, until: f64): void {
  walk = which;
  state = status.RUNNING;
  work = 0;
  most = mostWork;
  limit = min(most, STEP);
  deadline = until;
}

export function stop(why: u32): void {
  state = why;
}

@inline
export function spend(amount: u32): void {
  work += amount;
}

/** Whether the walk has to stop here; the time is asked for once in a while. */
@inline
export function isOver(): bool {
  return work >= limit ? isOut() : false;
}

function isOut(): bool {
  if (work >= most) state = status.LARGE;
  else if (now() >= deadline) state = status.PAUSED;
  limit = min(most, work + STEP);
  return state != status.RUNNING;
}
