import { describe, expect, test } from '@jest/globals';
import { HeError } from '../../src/errors.js';
import { createJsonReader } from '../../src/wire/json.js';
import { pack } from '../../src/wire/layout.js';
import { readLayout } from '../../src/wire/read_layout.js';

const LAYOUT = { name: 'x', shape: [2], ciphertexts: 1, slotOf: [0, 4], period: 8, copies: [0, 1] };
const json = createJsonReader((what) => new HeError('MANIFEST_INVALID', what, { hint: '' }));

describe('layouts with copies', () => {
  test('are packed several times in every period', () => {
    expect(pack([5, 7], LAYOUT, 16).map((vector) => [...vector])).toEqual([[5, 5, 0, 0, 7, 7, 0, 0, 5, 5, 0, 0, 7, 7, 0, 0]]);
  });

  test('are read from a manifest', () => {
    expect(readLayout(json, LAYOUT, 16)).toEqual(LAYOUT);
  });

  test.each([
    ['do not begin with the element itself', [1, 2], 'do not begin'],
    ['lie on each other', [0, 4], 'share a slot'],
    ['lie beyond the period', [0, 7], 'beyond its period'],
    ['are more than there are slots', [0, 1, 2, 3, 4], 'too many'],
    ['are no offsets', [0, -1], 'copy'],
  ])('are refused that %s', (_, copies, message) => {
    expect(() => readLayout(json, { ...LAYOUT, copies }, 16)).toThrow(message);
  });
});
