import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSafetensors, readFloats } from '../src/convert/safetensors.js';
import { readWeights } from '../src/convert/weights.js';
import { AssetError, ModelUnavailableError } from '../src/errors.js';
import { halfValue, rawSafetensors, safetensorsBytes } from './safetensors_file.js';
import { withFolder } from './temporary_folder.js';

const SEED = 41;
const floats = (bytes: Uint8Array, name: string) => readFloats(parseSafetensors(bytes, 'file').get(name)!, 'file');
const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({ dtype, shape, data_offsets: [begin, end] });

describe('safetensors files', () => {
  test('give the float32 values that were written', () => {
    const tensor = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(tensor, { maxLength: 5 }), (tensors) => {
        const written = Object.fromEntries(tensors.map((values, index) => [`t${index}`, { shape: [values.length, 1], values }]));
        const read = parseSafetensors(safetensorsBytes(written), 'file');
        expect([...read.keys()].sort()).toEqual(Object.keys(written).sort());
        for (const [name, { shape, values }] of Object.entries(written)) {
          expect(read.get(name)!.shape).toEqual(shape);
          expect(readFloats(read.get(name)!, 'file')).toEqual(Float32Array.from(values));
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  test('give every binary16 number', () => {
    const all = Array.from({ length: 0x7c00 }, (_, bits) => bits);
    const data = new Uint8Array(Uint16Array.from(all.flatMap((bits) => [bits, bits | 0x8000])).buffer);
    const bytes = rawSafetensors({ x: entry('F16', [all.length, 2], 0, data.length) }, data);
    expect(floats(bytes, 'x')).toEqual(Float32Array.from(all.flatMap((bits) => [halfValue(bits), -halfValue(bits)])));
  });

  test('give bfloat16 numbers, which are float32 cut off after 16 bits', () => {
    const values = [1, -2.5, 3.140625, 2 ** -130, -(2 ** 127), 0];
    expect([...floats(safetensorsBytes({ x: { shape: [6], values } }, 'BF16'), 'x')]).toEqual(values);
  });

  const eight = new Uint8Array(8);
  test.each<[string, Uint8Array, RegExp]>([
    ['shorter than the length of a header', new Uint8Array(7), /shorter/],
    ['with a header beyond the limit', Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0), /limit/],
    ['that end inside of the header', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 123, 125), /inside of its header/],
    ['with a header that is no JSON', rawSafetensors('{"a"', eight), /no JSON object/],
    ['with a header that is a list', rawSafetensors('[]', eight), /no JSON object/],
    ['of an unknown type', rawSafetensors({ x: entry('F128', [1], 0, 8) }, eight), /tensor x .* F128/],
    ['of a type that objects inherit', rawSafetensors({ x: entry('constructor', [1], 0, 8) }, eight), /tensor x .* constructor/],
    ['with a negative size', rawSafetensors({ x: entry('F32', [-2], 0, 8) }, eight), /tensor x has no shape/],
    ['with a size that is no integer', rawSafetensors({ x: entry('F32', [1.5], 0, 8) }, eight), /tensor x has no shape/],
    ['with an offset that is no number', rawSafetensors({ x: entry('F32', [2], '0', 8) }, eight), /tensor x has no offsets/],
    ['with a tensor that ends before it begins', rawSafetensors({ x: entry('F32', [2], 8, 0) }, eight), /tensor x ends/],
    ['that are cut off', rawSafetensors({ x: entry('F32', [4], 0, 16) }, eight), /tensor x .* cut off/],
    ['with fewer bytes than the shape asks for', rawSafetensors({ x: entry('F32', [3], 0, 8) }, eight), /tensor x has 8 bytes .* 12/],
    ['with a shape beyond all numbers', rawSafetensors({ x: entry('F32', [2 ** 50, 2 ** 50], 0, 8) }, eight), /tensor x has 8 bytes/],
    [
      'with tensors that overlap',
      rawSafetensors({ x: entry('F32', [1], 0, 4), y: entry('F16', [3], 2, 8) }, eight),
      /tensor y begins at byte 2/,
    ],
    ['with bytes between tensors', rawSafetensors({ x: entry('F32', [1], 4, 8) }, eight), /4 bytes before tensor x/],
    ['with bytes after the last tensor', rawSafetensors({ x: entry('F32', [1], 0, 4) }, eight), /4 bytes follow/],
  ])('are refused %s', (_, bytes, message) => {
    expect(() => parseSafetensors(bytes, 'model.safetensors')).toThrow(AssetError);
    expect(() => parseSafetensors(bytes, 'model.safetensors')).toThrow(message);
  });

  test.each([
    ['integers', entry('I64', [1], 0, 8)],
    ['values that are not finite', entry('F16', [4], 0, 8)],
  ])('with %s have no weights, and the tensor is named', (_, description) => {
    const bytes = rawSafetensors({ ids: description }, Uint8Array.of(0, 0x7c, 0, 0, 0, 0, 0, 0));
    expect(() => floats(bytes, 'ids')).toThrow(/tensor ids/);
  });

  test('give a typed error or tensors inside of the file, whatever they hold', () => {
    const sound = safetensorsBytes({ a: { shape: [2, 2], values: [1, 2, 3, 4] }, b: { shape: [3], values: [5, 6, 7] } });
    const change = fc.record({ at: fc.nat(sound.length - 1), to: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(sound.length), (changes, length) => {
        const damaged = Uint8Array.from(sound);
        for (const { at, to } of changes) damaged[at] = to;
        try {
          for (const { shape, bytes, dtype } of parseSafetensors(damaged.subarray(0, length), 'file').values()) {
            expect(bytes.length % shape.reduce((product, size) => product * size, 1) || 0).toBe(0);
            expect(dtype).toMatch(/^[A-Z]/);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(AssetError);
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

describe('weights of a folder', () => {
  const tensors = { a: { shape: [2], values: [1, 2] }, b: { shape: [1], values: [3] } };
  const shard = (name: 'a' | 'b') => safetensorsBytes({ [name]: tensors[name] });
  const index = (map: Readonly<Record<string, unknown>>) => JSON.stringify({ metadata: {}, weight_map: map });

  test('come from one file', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'model.safetensors'), safetensorsBytes(tensors));
      const weights = await readWeights(folder);
      expect([...weights.names].sort()).toEqual(['a', 'b']);
      expect([...weights.take('a', [2])]).toEqual([1, 2]);
      expect(() => weights.take('c', [2])).toThrow(/no tensor c/);
      expect(() => weights.take('a', [1, 2])).toThrow(/Tensor a .* \[2\], .* \[1, 2\]/);
    }));

  test('come from the shards of an index', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'model-1.safetensors'), shard('a'));
      await writeFile(join(folder, 'model-2.safetensors'), shard('b'));
      await writeFile(join(folder, 'model.safetensors.index.json'), index({ a: 'model-1.safetensors', b: 'model-2.safetensors' }));
      const weights = await readWeights(folder);
      expect([weights.take('a', [2])[1], weights.take('b', [1])[0]]).toEqual([2, 3]);
    }));

  test.each<[string, string | undefined, new (...args: never[]) => Error, RegExp]>([
    ['no file', undefined, ModelUnavailableError, /model\.safetensors/],
    ['an index without a map', '{}', AssetError, /weight_map/],
    ['an index that is no JSON', '{', AssetError, /weight_map/],
    ['a shard outside of the folder', index({ a: '../model-1.safetensors' }), AssetError, /no shard/],
    ['a shard that is not there', index({ a: 'model-9.safetensors' }), ModelUnavailableError, /model-9/],
    ['a tensor that its shard lacks', index({ b: 'model-1.safetensors' }), AssetError, /tensor b/],
  ])('refuse %s', (_, content, error, message) =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'model-1.safetensors'), shard('a'));
      if (content !== undefined) await writeFile(join(folder, 'model.safetensors.index.json'), content);
      await expect(readWeights(folder)).rejects.toThrow(error);
      await expect(readWeights(folder)).rejects.toThrow(message);
    }),
  );
});
