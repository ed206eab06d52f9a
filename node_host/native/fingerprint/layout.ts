/** Where things lie in CPython's objects, in 32-bit WebAssembly; what differs by version is told. */

/** Offsets of PyObject, PyVarObject and of the builtin types. The self-test at start tries them. */
export namespace at {
  export const TYPE: usize = 4;
  export const SIZE: usize = 8;
  export const ITEMS: usize = 12; // list, array: a pointer to them
  export const DIGITS: usize = 12;
  export const NUMBER: usize = 8; // float, complex
  export const BYTES: usize = 16;
  export const BYTEARRAY_ALLOCATED: usize = 12; // what is shown as its size in bytes
  export const BYTEARRAY_START: usize = 20;
  export const ARRAY_ALLOCATED: usize = 16;
  export const ARRAY_DESCRIPTION: usize = 20; // {typecode, itemsize, …}
  export const ITEM_SIZE: usize = 4;
  export const TEXT_STATE: usize = 16;
  export const TEXT_ASCII: usize = 20;
  export const TEXT_COMPACT: usize = 28; // also the pointer where it is not compact
  export const SET_USED: usize = 12;
  export const SET_MASK: usize = 16;
  export const SET_TABLE: usize = 20;
  export const DICT_VALUES: usize = 28;
  export const DICT_END: usize = 32;
  export const DATE_STATE: usize = 12; // {has a zone, state…}
  export const DECIMAL: usize = 12; // an mpd_t
  export const VIEW_FLAGS: usize = 20;
  export const VIEW: usize = 28; // a Py_buffer
  export const MANAGED_DICT: usize = 12; // before the object
}

export namespace buffer {
  export const START: usize = 0;
  export const LENGTH: usize = 8;
  export const DIMENSIONS: usize = 20;
  export const FORMAT: usize = 24;
  export const ITEM_SIZE: usize = 12;
  export const SHAPE: usize = 28;
  export const STRIDES: usize = 32;
  export const BYTES: u32 = 44;
}

/** Offsets of an mpd_t. */
export namespace decimal {
  export const FLAGS: usize = 0;
  export const VALUE_FLAGS: u8 = 0x0f; // sign, infinity, the two nan; the others tell whose memory it is
  export const EXPONENT: usize = 4;
  export const COUNT: usize = 12;
  export const WORDS: usize = 20;
}

/** Offsets of PyTypeObject. */
export namespace slot {
  export const BASIC_SIZE: usize = 16;
  export const DEALLOC: usize = 24;
  export const AS_BUFFER: usize = 80;
  export const FLAGS: usize = 84;
  export const TRAVERSE: usize = 92;
  export const WEAKLIST_OFFSET: usize = 104;
  export const BASE: usize = 128;
  export const DICT: usize = 132;
  export const DICT_OFFSET: usize = 144;
}

/** Bits of a type's flags. */
export namespace flag {
  export const INLINE_VALUES: u32 = 1 << 2;
  export const MANAGED_DICT: u32 = 1 << 4;
  export const HEAP_TYPE: u32 = 1 << 9;
  export const COLLECTED: u32 = 1 << 14;
  export const EXCEPTION: u32 = 1 << 30;
  export const TYPE: u32 = 1 << 31;
}

/** What Python tells of this build, in the order of native_layout.py. */
@unmanaged
export class Facts {
  tupleItems: u32;
  digitBytes: u32;
  asciiBit: u32;
  compactBit: u32;
  kindShift: u32;
  functionParts: u32; // offsets of defaults, keyword defaults, closure, attributes: a byte each
  functionAnnotations: u32;
  functionCode: u32;
  functionType: u32;
  boolType: u32;
  intType: u32;
  floatType: u32;
  strType: u32;
  bytesType: u32;
  dictType: u32;
  pythonClass: u32; // any class that Python code defined
  bufferClass: u32; // one with a __buffer__
  moduleName: u32; // "__module__"
  mainName: u32; // "__main__"
  types: u32; // a list of types…
  typeKinds: u32; // …and a bytearray of their kinds
  modules: u32; // a list of names of modules…
  moduleKinds: u32; // …and of the kinds of their classes
}

@inline
export function typeOf(object: u32): u32 {
  return load<u32>(object, at.TYPE);
}

@inline
export function flagsOf(type: u32): u32 {
  return load<u32>(type, slot.FLAGS);
}
