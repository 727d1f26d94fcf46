import { describe, expect, test } from '@jest/globals';
import { Heap } from '../../src/simd/heap.js';
import { KeyStore } from '../../src/simd/key_store.js';
import { openEnginePair, smallParameters } from '../support/engine_pair.js';

const KEY_BYTES = 256;

/** A store with room for `room` keys, and four keys, each filled with its number. */
function storeOf(room: number) {
  const heap = new Heap();
  const store = new KeyStore(heap, KEY_BYTES, room * KEY_BYTES);
  const keys = [1, 2, 3, 4].map((value) => store.add((at) => heap.bytes(at, KEY_BYTES).fill(value)));
  const read = (...indices: number[]) =>
    store.addressesOf(indices.map((i) => keys[i]!)).map((at) => heap.bytes(at, KEY_BYTES)[KEY_BYTES - 1]);
  return { heap, store, keys, read };
}

describe('keys beyond the budget', () => {
  test('are copied in when they are used, in place of the one not used for longest', () => {
    const { store, keys, read } = storeOf(2);
    expect(keys.map(({ at }) => at !== undefined)).toEqual([false, false, true, true]);
    expect(read(2)).toEqual([3]);
    expect(store.moved).toBe(0);
    expect(read(0)).toEqual([1]);
    expect(store.moved).toBe(1);
    expect(keys.map(({ at }) => at !== undefined)).toEqual([true, false, true, false]);
  });

  test('are all there when they are used together, in their order, even if that takes more than the budget', () => {
    const { read } = storeOf(2);
    expect(read(3, 0, 1, 0)).toEqual([4, 1, 2, 1]);
    expect(read(2)).toEqual([3]);
  });

  test('that are released make room', () => {
    const { heap, store, keys } = storeOf(2);
    for (const key of keys) store.release(key);
    const [first, second] = [0, 0].map(() => store.add((at) => heap.bytes(at, KEY_BYTES).fill(9)));
    expect([first!.at, second!.at].every((at) => at !== undefined)).toBe(true);
    expect(store.moved).toBe(0);
  });

  test('that could not be filled leave their place', () => {
    const { heap, store } = storeOf(4);
    const failing = () =>
      store.add(() => {
        throw new Error('damaged');
      });
    expect(failing).toThrow('damaged');
    const at = heap.allocate(KEY_BYTES);
    heap.free(at, KEY_BYTES);
    expect(failing).toThrow('damaged');
    expect(heap.allocate(KEY_BYTES)).toBe(at);
  });
});

test('rotations under keys that come and go give the same residues, and release all', async () => {
  const steps = [1, 2, 3, 5, 7, 11];
  const parameters = smallParameters(4096, [50, 40, 50]);
  const keyBytes = 16 * 4096 * 2 * 3;
  const pair = await openEnginePair(parameters, steps, { keyMemoryBytes: 2 * keyBytes });
  const a = pair.random(1, 7);
  for (const step of [...steps, ...steps]) {
    const rotated = { seal: pair.seal.rotate(a.seal, step), simd: pair.simd.rotate(a.simd, step) };
    const { seal, simd } = pair.residues(rotated);
    expect(seal.every((polynomial, k) => polynomial.every((limb, i) => Buffer.compare(bytesOf(limb), bytesOf(simd[k]![i]!)) === 0))).toBe(
      true,
    );
    pair.free(rotated);
  }
  expect(pair.simdRuntime.switchingKeys.moved).toBe(2 * steps.length);
  // Five keys at once, of which four are used together.
  for (const c of pair.simd.rotateMany(a.simd, steps.slice(1))) pair.simd.dispose(c);
  pair.free(a);
  pair.close();
  expect(pair.simdRuntime.ledger.total()).toEqual({ count: 0, bytes: 0 });
});

function bytesOf(values: Float64Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
