/** Objects that are memory: bytearray, array, memoryview, and what else hands its memory out. */
import { mix, mixBytes, mixTyped } from "./hash";
import { hasNativeBuffer, kind } from "./kinds";
import { at, buffer } from "./layout";
import { Frame, isOver, spend, status, stop } from "./walk";

@external("env", "PyObject_GetBuffer")
declare function PyObject_GetBuffer(object: u32, view: u32, flags: i32): i32;
@external("env", "PyBuffer_Release")
declare function PyBuffer_Release(view: u32): void;
@external("env", "PyErr_Clear")
declare function PyErr_Clear(): void;

const PIECE_BYTES: u32 = 1 << 16;
const PIECE_WORK: u32 = PIECE_BYTES >> 5;
const RECORDS_RO: i32 = 0x1c; // PyBUF_: any strides, nothing indirect
const VIEW_RELEASED: u32 = 1, VIEW_C: u32 = 2;

let start: u32 = 0, length: u32 = 0, borrowed = false;
let lent: u32 = 0; // a Py_buffer

export function learnBuffer(address: u32): void {
  lent = address;
}

/** What a memoryview shows beside the bytes; one with gaps is foreign. */
export function mixView(object: u32, type: u32): void {
  const flags = load<u32>(object, at.VIEW_FLAGS);
  if (flags & VIEW_RELEASED) return mixTyped(type, object);
  if (!(flags & VIEW_C)) return stop(status.FOREIGN);
  const view = object + <u32>at.VIEW;
  mixTyped(type, load<u32>(view, buffer.LENGTH));
  mixShape(view);
}

function mixShape(view: u32): void {
  const shape = load<u32>(view, buffer.SHAPE), format = load<u32>(view, buffer.FORMAT);
  const dimensions = shape ? load<u32>(view, buffer.DIMENSIONS) : 0;
  for (let i: u32 = 0; i < dimensions; i++) mix(load<u32>(shape + i * 4));
  if (format) for (let i: u32 = 0; load<u8>(format + i); i++) mix(load<u8>(format + i));
}

/** Mix in the bytes, piece by piece. */
export function walkMemory(frame: Frame): void {
  const isOpen = openMemory(frame);
  if (isOpen && (!frame.position || (frame.first == start && frame.count == length))) mixPieces(frame);
  else if (isOpen) stop(status.DISTURBED);
  if (isOpen && borrowed) PyBuffer_Release(lent);
}

function mixPieces(frame: Frame): void {
  frame.first = start;
  frame.count = length;
  while (frame.position < length) {
    mixBytes(start + frame.position, min(PIECE_BYTES, length - frame.position));
    frame.position += PIECE_BYTES;
    spend(PIECE_WORK);
    if (isOver()) return;
  }
}

/** Find the memory of an object; false when it has none, for now. */
function openMemory(frame: Frame): bool {
  const object = frame.object;
  borrowed = false;
  switch (frame.kind & 0xff) {
    case kind.BYTEARRAY:
      start = load<u32>(object, at.BYTEARRAY_START);
      length = load<u32>(object, at.SIZE);
      return true;
    case kind.ARRAY:
      start = load<u32>(object, at.ITEMS);
      length = load<u32>(object, at.SIZE) * load<u32>(load<u32>(object, at.ARRAY_DESCRIPTION), at.ITEM_SIZE);
      return true;
    case kind.MEMORYVIEW:
      start = load<u32>(object + <u32>at.VIEW, buffer.START);
      length = load<u32>(object + <u32>at.VIEW, buffer.LENGTH);
      return !(load<u32>(object, at.VIEW_FLAGS) & VIEW_RELEASED);
    default:
      return borrowMemory(frame);
  }
}

/** By the buffer protocol of a type written in C, whatever it is. */
function borrowMemory(frame: Frame): bool {
  if (!hasNativeBuffer(frame.type)) return false;
  if (PyObject_GetBuffer(frame.object, lent, RECORDS_RO) != 0) {
    PyErr_Clear();
    return false;
  }
  borrowed = true;
  measure(lent);
  if (!frame.position) mixShape(lent);
  return true;
}

/** From the first to the last byte of its items, with all that lies between them. */
function measure(view: u32): void {
  const shape = load<u32>(view, buffer.SHAPE), strides = load<u32>(view, buffer.STRIDES);
  const dimensions = shape && strides ? load<u32>(view, buffer.DIMENSIONS) : 0;
  start = load<u32>(view, buffer.START);
  length = load<u32>(view, buffer.LENGTH);
  if (!dimensions || !length) return;
  length = load<u32>(view, buffer.ITEM_SIZE);
  for (let i: u32 = 0; i < dimensions; i++) {
    const reach = (load<i32>(shape + i * 4) - 1) * load<i32>(strides + i * 4);
    if (reach < 0) start += reach;
    length += abs(reach);
  }
}
