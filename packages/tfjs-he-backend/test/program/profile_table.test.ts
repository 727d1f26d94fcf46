import { expect, test } from '@jest/globals';
import { type Profile, profileTable } from '../../src/program/profile.js';

const PROFILE: Profile = {
  polyModulusDegree: 8192,
  coeffModulusBits: [50, 39, 39, 50],
  totalBits: 178,
  securityBits: 128,
  depth: 4,
  levelsPerSegment: 2,
  scaleBits: 39,
  maskSlackBits: 41,
  segments: 2,
  refreshes: 1,
  rotations: 12,
  keySwitches: 15,
  plainProducts: 20,
  products: 3,
  galoisKeys: 1,
  layouts: { 'feature-major': 2 },
  ciphertexts: 1,
  evaluationKeyBytes: 1e7,
  constants: 20,
  constantBytes: 2e6,
  simdConstantBytes: 2e6,
  simdOverflowBytes: 0,
  peakCiphertextBytes: 1e6,
  engine: 'simd',
  predictedMs: 1234,
  predictedEncodeMs: 56,
  layers: [
    { name: 'attention', depth: 3, depthSoFar: 3, instructions: 40, keySwitches: 14, predictedMs: 1000 },
    { name: 'head', depth: 1, depthSoFar: 4, instructions: 3, keySwitches: 1, predictedMs: 9.6 },
  ],
};

test('tells what refreshes there are', () => {
  const table = profileTable(PROFILE);
  expect(table).toMatch(/^levels +4 deep, 2 between two refreshes, scale 2\^39\.0$/m);
  expect(table).toMatch(/^refreshes +1 ciphertext in 1 round, mask slack 41\.0 bits$/m);
  expect(table).toMatch(/^key switches +15 \(12 rotations with 1 Galois key\)$/m);
});

test('says nothing of masks where there are no refreshes', () => {
  const table = profileTable({ ...PROFILE, refreshes: 0, segments: 1, maskSlackBits: -1 });
  expect(table).toMatch(/^levels +4 deep, scale 2\^39\.0$/m);
  expect(table).toMatch(/^refreshes +none$/m);
});

test('aligns numbers of layers', () => {
  expect(profileTable(PROFILE).split('\n').slice(-2)).toEqual([
    '  attention     1000 ms  14 key switches',
    '  head            10 ms   1 key switches',
  ]);
});
