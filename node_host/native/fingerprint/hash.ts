/** 64 bits that depend on everything mixed into them, and on its order. */

const K: u64 = 0x9e3779b97f4a7c15;
const SPREAD: u64 = 0xc2b2ae3d27d4eb4f;

export let hash: u64 = K;

export function startHash(from: u64): void {
  hash = from;
}

export function freshHash(): void {
  hash = K;
}

/** For a given rest, each value gives another hash: a single change is never missed. */
@inline
export function mix(value: u64): void {
  const mixed = (hash ^ value) * K;
  hash = mixed ^ (mixed >> 32);
}

/** 0 and False, [] and () are different values. */
@inline
export function mixTyped(type: u32, value: u64): void {
  mix(value ^ (<u64>type * SPREAD));
}

/** Raw memory, in four lanes of eight bytes. */
export function mixBytes(start: u32, length: u32): void {
  let a: u64 = hash ^ length, b: u64 = K, c: u64 = K + 1, d: u64 = K + 2;
  const end = start + length, wide = start + (length & ~31);
  let at = start;
  for (; at < wide; at += 32) {
    a = rotl((a ^ load<u64>(at)) * K, 29);
    b = rotl((b ^ load<u64>(at, 8)) * K, 29);
    c = rotl((c ^ load<u64>(at, 16)) * K, 29);
    d = rotl((d ^ load<u64>(at, 24)) * K, 29);
  }
  for (; at + 8 <= end; at += 8) a = rotl((a ^ load<u64>(at)) * K, 29);
  for (; at < end; at++) a = rotl((a ^ load<u8>(at)) * K, 29);
  hash = a;
  if (length < 32) return;
  mix(b);
  mix(c);
  mix(d);
}
