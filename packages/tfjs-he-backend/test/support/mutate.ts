import { randomSource } from './random.js';

export interface Mutator {
  /** A damaged copy of one of the buffers. */
  next(): Uint8Array;
}

const INTERESTING = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/**
 * Damages valid buffers as transmission, version skew and ill will do: flipped bits, other bytes, fields of interesting values, cuts, repeats,
 * zeroed ranges, pieces of another valid buffer, another length. Deterministic.
 */
export function createMutator(corpus: readonly Uint8Array[], seed: number): Mutator {
  const random = randomSource(seed);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
  // Half of all damage hits the beginning, where headers and lengths are.
  const place = (length: number) => (random() < 0.5 ? below(Math.min(length, 128)) : below(length));

  const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => {
      bytes[place(bytes.length)]! ^= 1 << below(8);
      return bytes;
    },
    (bytes) => {
      for (let i = below(8); i >= 0; i--) bytes[place(bytes.length)] = below(256);
      return bytes;
    },
    (bytes) => {
      const at = place(Math.max(1, bytes.length - 3));
      const value = pick(INTERESTING);
      for (let i = 0; i < 4 && at + i < bytes.length; i++) bytes[at + i] = (value >>> (8 * i)) & 255;
      return bytes;
    },
    (bytes) => bytes.subarray(0, place(bytes.length)),
    (bytes) => {
      const longer = new Uint8Array(bytes.length + 1 + below(64));
      longer.set(bytes);
      return longer;
    },
    (bytes) => {
      const at = place(bytes.length);
      return bytes.fill(pick([0, 255]), at, at + 1 + below(64));
    },
    (bytes) => {
      const other = pick(corpus);
      const at = place(bytes.length);
      bytes.set(other.subarray(at, Math.min(at + 1 + below(4096), other.length, bytes.length)), at);
      return bytes;
    },
    (bytes) => {
      const at = place(bytes.length);
      const length = Math.min(1 + below(64), bytes.length - at);
      bytes.copyWithin(place(Math.max(1, bytes.length - length)), at, at + length);
      return bytes;
    },
    (bytes) => {
      const at = place(bytes.length);
      const end = Math.min(bytes.length, at + 1 + below(16));
      const shorter = new Uint8Array(bytes.length - (end - at));
      shorter.set(bytes.subarray(0, at));
      shorter.set(bytes.subarray(end), at);
      return shorter;
    },
  ];
  return {
    next() {
      let bytes: Uint8Array = pick(corpus).slice();
      for (let i = below(3); i >= 0 && bytes.length > 0; i--) bytes = pick(damages)(bytes);
      return bytes;
    },
  };
}

/** A copy of a JSON value in which one node anywhere has been replaced, removed or repeated. */
export function mutateJson(value: unknown, random: () => number): unknown {
  const copy: unknown = structuredClone(value);
  const places: { holder: Record<string | number, unknown>; key: string | number }[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const holder = node as Record<string | number, unknown>;
    for (const key of Object.keys(node)) {
      // Long lists of numbers would crowd out everything else.
      if (!Array.isArray(node) || Number(key) < 4) places.push({ holder, key });
      walk(holder[key]);
    }
  };
  walk(copy);
  const { holder, key } = places[Math.floor(random() * places.length)]!;
  const old = holder[key];
  const numbers = [-1, 0, 1, 2, 0.5, 31, 32, 64, 1024, 4096, 8191, 2 ** 31, 2 ** 53, 1e300, Number(old) + 1, -Number(old)];
  const others = [null, true, '', 'x', '9'.repeat(19), '-1', '0x10', [], {}, [old], [[]], { length: 1e9 }, '__proto__', ...numbers];
  if (random() < 0.15 && !Array.isArray(holder)) delete holder[key];
  else holder[key] = others[Math.floor(random() * others.length)];
  return copy;
}
