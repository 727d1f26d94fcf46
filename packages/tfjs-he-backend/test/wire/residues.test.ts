import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { packedBytes, packResidues, readWords, unpackResidues, writeWords } from '../../src/wire/residues.js';

const cases = fc.integer({ min: 20, max: 50 }).chain((bits) =>
  fc.record({
    bits: fc.constant(bits),
    residues: fc.array(
      fc.oneof(
        fc.maxSafeInteger().map((x) => Math.abs(x) % 2 ** bits),
        fc.constantFrom(0, 2 ** bits - 1),
      ),
      {
        minLength: 16,
        maxLength: 16,
      },
    ),
  }),
);

test('packing is the dense little-endian bit string, and unpacking undoes it', () => {
  fc.assert(
    fc.property(cases, ({ bits, residues }) => {
      const out = new Uint8Array(3 + packedBytes(16, bits));
      expect(packResidues(Float64Array.from(residues), bits, out, 3)).toBe(out.length);
      const expected = residues.reduce((sum, r, i) => sum + (BigInt(r) << BigInt(i * bits)), 0n);
      const actual = out.slice(3).reduce((sum, byte, i) => sum + (BigInt(byte) << BigInt(8 * i)), 0n);
      expect(actual).toBe(expected);
      expect(Array.from(unpackResidues(out, 3, 16, bits, 2 ** bits))).toEqual(residues);
    }),
    { numRuns: 300, seed: 6 },
  );
});

test('64-bit words round-trip', () => {
  fc.assert(
    fc.property(cases, ({ bits, residues }) => {
      const view = new DataView(new ArrayBuffer(1 + 8 * 16));
      writeWords(view, 1, Float64Array.from(residues));
      residues.forEach((r, i) => {
        expect(view.getBigUint64(1 + 8 * i, true)).toBe(BigInt(r));
      });
      expect(Array.from(readWords(view, 1, 16, 2 ** bits))).toEqual(residues);
    }),
    { numRuns: 100, seed: 7 },
  );
});

test('a residue equal to its prime is refused', () => {
  const out = new Uint8Array(packedBytes(8, 30));
  packResidues(new Float64Array(8).fill(12289), 30, out, 0);
  expect(() => unpackResidues(out, 0, 8, 30, 12289)).toThrow(expect.objectContaining({ code: 'WIRE_RESIDUE_RANGE' }));
  expect(unpackResidues(out, 0, 8, 30, 12290)[7]).toBe(12289);
  const view = new DataView(new ArrayBuffer(64));
  view.setBigUint64(8, 0xffff_ffff_ffff_ffffn, true);
  expect(() => readWords(view, 0, 8, 2 ** 50)).toThrow(expect.objectContaining({ code: 'WIRE_RESIDUE_RANGE' }));
});
