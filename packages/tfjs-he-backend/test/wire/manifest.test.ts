import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_CIPHERTEXTS, pack, type TensorLayout, unpack } from '../../src/wire/layout.js';
import { type Manifest, parseManifest } from '../../src/wire/manifest.js';
import { manifestFor, parameters } from '../conformance/session.js';

const policy = { minimumSecurityBits: 0 } as const;
const json = (manifest: unknown): unknown => JSON.parse(JSON.stringify(manifest));
const valid = manifestFor(parameters);

describe('parseManifest', () => {
  test('gives back what was written', () => {
    const { manifest, parameters: read } = parseManifest(json(valid), policy);
    expect(manifest).toEqual(valid);
    expect(read.coeffModulus).toEqual(parameters.coeffModulus);
    expect(read.levelScale(2)).toBe(parameters.levelScale(2));
  });

  const layout = valid.inputs[0]!;
  test.each<[string, Partial<Record<keyof Manifest, unknown>>]>([
    ['another version', { version: 2 }],
    ['a prime that is no number', { parameters: { ...valid.parameters, coeffModulus: ['0x7', '1'] } }],
    ['a step out of range', { galoisSteps: [-1] }],
    ['steps in disorder', { galoisSteps: [3, 1] }],
    ['refreshes that do not match the segments', { segments: 2 }],
    ['a slot beyond the period', { inputs: [{ ...layout, slotOf: [5], period: 4 }] }],
    ['a slot beyond the ciphertexts', { inputs: [{ ...layout, slotOf: [parameters.slots] }] }],
    ['more ciphertexts than a tensor may take', { inputs: [{ ...layout, ciphertexts: MAX_CIPHERTEXTS + 1 }] }],
    ['a period that does not divide the slots', { outputs: [{ ...layout, period: 3 }] }],
    ['two elements in one slot', { outputs: [{ ...layout, shape: [2], slotOf: [0, 0] }] }],
    ['a shape that does not match', { outputs: [{ ...layout, shape: [2] }] }],
  ])('refuses %s', (_, change) => {
    expect(() => parseManifest(json({ ...valid, ...change }), policy)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
  });

  test('refuses any other JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => parseManifest(value, policy)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
      }),
      { numRuns: 100, seed: 9 },
    );
  });
});

describe('layouts', () => {
  const slots = 16;
  const layouts = fc
    .record({ ciphertexts: fc.integer({ min: 1, max: 3 }), logPeriod: fc.integer({ min: 1, max: 4 }) })
    .chain(({ ciphertexts, logPeriod }) => {
      const period = 2 ** logPeriod;
      const places = Array.from({ length: ciphertexts * period }, (_, i) => Math.floor(i / period) * slots + (i % period));
      return fc
        .shuffledSubarray(places, { minLength: 1 })
        .map((slotOf): TensorLayout => ({ name: 't', shape: [slotOf.length], ciphertexts, slotOf, period }));
    });

  test('unpack undoes pack, and packed vectors repeat with the period', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const values = layout.slotOf.map((_, i) => i + 1);
        const vectors = pack(values, layout, slots);
        expect(Array.from(unpack(vectors, layout, slots))).toEqual(values);
        for (const vector of vectors) expect(vector).toEqual(vector.map((_, slot) => vector[slot % layout.period]!));
      }),
      { numRuns: 100, seed: 10 },
    );
  });

  test('refuse the wrong number of values or vectors', () => {
    const layout: TensorLayout = { name: 't', shape: [2], ciphertexts: 1, slotOf: [0, 1], period: 16 };
    expect(() => pack([1], layout, slots)).toThrow(expect.objectContaining({ code: 'ENCODE_INVALID' }));
    expect(() => unpack([], layout, slots)).toThrow(expect.objectContaining({ code: 'ENCODE_INVALID' }));
  });
});
