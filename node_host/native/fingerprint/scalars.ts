/** Values that hold no others, by what they are worth. */
import { mix, mixBytes, mixTyped } from "./hash";
import { kind } from "./kinds";
import { at, decimal, slot } from "./layout";
import { facts, spend } from "./walk";

const WHOLE_TEXT: u32 = 1 << 20;
const SAMPLES: u32 = 16;
const SAMPLE_BYTES: u32 = 256;
// A bit that caches whether an int is one of the interpreter's own.
const TAG_MASK: u32 = ~4;

/** Whether the object was an instance of one of the most frequent types, and was mixed in. */
@inline
export function mixPlain(object: u32, type: u32): bool {
  if (type == facts.intType || type == facts.boolType) mixInt(object, type);
  else if (type == facts.floatType) mixTyped(type, load<u64>(object, at.NUMBER));
  else if (type == facts.strType) mixText(object, type);
  else return false;
  return true;
}

/** The scalar part of an object of this kind; false when there is none. */
export function mixScalar(object: u32, type: u32, its: u32): bool {
  switch (its) {
    case kind.CONSTANT: mixTyped(type, 1); return true;
    case kind.INT: mixInt(object, type); return true;
    case kind.FLOAT: mixTyped(type, load<u64>(object, at.NUMBER)); return true;
    case kind.COMPLEX:
      mixTyped(type, load<u64>(object, at.NUMBER));
      mix(load<u64>(object, at.NUMBER + 8));
      return true;
    case kind.TEXT: mixText(object, type); return true;
    case kind.BYTES: mixMemory(object, object + <u32>at.BYTES, load<u32>(object, at.SIZE), type); return true;
    case kind.MOMENT: mixMoment(object, type); return true;
    case kind.RAW: mixTyped(type, 1); mixState(object, load<u32>(type, slot.BASIC_SIZE)); return true;
    case kind.DECIMAL: mixDecimal(object, type); return true;
    default: return false;
  }
}

@inline
function mixInt(object: u32, type: u32): void {
  const tag = load<u32>(object, at.SIZE) & TAG_MASK;
  const digits = tag >> 3;
  if (digits <= 1) {
    const digit = facts.digitBytes == 4 ? load<u32>(object, at.DIGITS) : load<u16>(object, at.DIGITS);
    mixTyped(type, <u64>digit | (<u64>tag << 32));
  } else mixMemory(object, object + <u32>at.DIGITS, digits * facts.digitBytes, type ^ tag << 30);
}

/** Its characters; neither the hash nor the UTF-8 that are kept beside them. */
function mixText(object: u32, type: u32): void {
  const state = load<u32>(object, at.TEXT_STATE), length = load<u32>(object, at.SIZE);
  const width = (state >> facts.kindShift) & 7;
  const start =
    !(state & facts.compactBit) ? load<u32>(object, at.TEXT_COMPACT)
    : state & facts.asciiBit ? object + <u32>at.TEXT_ASCII
    : object + <u32>at.TEXT_COMPACT;
  mixMemory(object, start, length * width, type + width);
}

/** Behind its hash, which is kept there when someone asks for it. */
function mixState(object: u32, size: u32): void {
  mixBytes(object + <u32>at.DATE_STATE, size - <u32>at.DATE_STATE);
}

/** Where there is no zone, the object ends before the place for it. */
function mixMoment(object: u32, type: u32): void {
  const size = load<u32>(type, slot.BASIC_SIZE) - 4;
  mixTyped(type, 1);
  mixState(object, size);
  if (load<u8>(object, at.DATE_STATE)) mix(load<u32>(object + size));
}

function mixDecimal(object: u32, type: u32): void {
  const number = object + <u32>at.DECIMAL;
  mixTyped(type, load<u8>(number, decimal.FLAGS) & decimal.VALUE_FLAGS);
  mix(load<u64>(number, decimal.EXPONENT)); // and the count of digits
  mixMemory(object, load<u32>(number, decimal.WORDS), load<u32>(number, decimal.COUNT) * 4, type);
}

/** Memory that cannot change; of a very large one, samples and where it is. */
function mixMemory(object: u32, start: u32, length: u32, type: u32): void {
  mixTyped(type, length);
  if (length <= WHOLE_TEXT) {
    mixBytes(start, length);
    spend(length >> 6);
    return;
  }
  mix(object);
  const step = length / SAMPLES;
  for (let i: u32 = 0; i < SAMPLES; i++) mixBytes(start + i * step, SAMPLE_BYTES);
}
