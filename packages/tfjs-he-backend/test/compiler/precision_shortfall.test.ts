import { expect, test } from '@jest/globals';
import { candidateParameters } from '../../src/compiler/parameter_search.js';
import { precisionShortfall } from '../../src/compiler/precision_shortfall.js';
import { refreshFreeCandidates } from '../../src/compiler/refresh_free.js';

const request = { securityBits: 128, precisionBits: 24, valueBits: 6, polyModulusDegrees: [8192] } as const;

test('a precision out of reach names the limit, the excess, and options that do help', () => {
  expect(candidateParameters(request)).toEqual([]);
  const { message, code } = precisionShortfall(request, Number.POSITIVE_INFINITY);
  expect(code).toBe('COMPILE_FAILED');
  const [, excess] = /, (\d+) more than fit/.exec(message)!;
  const [, precisionBits] = /precisionBits (\d+) or less/.exec(message)!;
  expect(Number(precisionBits) + Number(excess)).toBe(request.precisionBits);
  expect(candidateParameters({ ...request, precisionBits: Number(precisionBits) }).length).toBeGreaterThan(0);
  expect(candidateParameters({ ...request, precisionBits: Number(precisionBits) + 1 })).toEqual([]);
  const [, degree] = /ring degree of (\d+) in/.exec(message)!;
  expect(candidateParameters({ ...request, polyModulusDegrees: [Number(degree)] }).length).toBeGreaterThan(0);
});

test('values too large for the masks are told which bound would fit', () => {
  const large = { ...request, precisionBits: 8, valueBits: 39 };
  const [, valueBits] = /valueBits (\d+) or less/.exec(precisionShortfall(large, Number.POSITIVE_INFINITY).message)!;
  expect(candidateParameters({ ...large, valueBits: Number(valueBits) }).length).toBeGreaterThan(0);
  expect(candidateParameters({ ...large, valueBits: Number(valueBits) + 1 })).toEqual([]);
});

test('programs that need no refresh are told what chains of their length would give', () => {
  const small = { ...request, precisionBits: 12, polyModulusDegrees: [4096] };
  const { message } = precisionShortfall(small, 1);
  const [, precisionBits] = /precisionBits (\d+) or less/.exec(message)!;
  expect(refreshFreeCandidates({ ...small, precisionBits: Number(precisionBits) }, 1).length).toBeGreaterThan(0);
  expect(refreshFreeCandidates({ ...small, precisionBits: Number(precisionBits) + 1 }, 1)).toEqual([]);
});

test('where no option helps alone, less precision and a larger ring do together', () => {
  const far = { ...request, precisionBits: 36, polyModulusDegrees: [4096] };
  const [, precisionBits, degrees] = /precisionBits (\d+) or less, and a ring degree of ([\d or]+) in/.exec(
    precisionShortfall(far, 8).message,
  )!;
  const polyModulusDegrees = degrees!.split(' or ').map(Number);
  expect(candidateParameters({ ...far, precisionBits: Number(precisionBits), polyModulusDegrees }).length).toBeGreaterThan(0);
  expect(candidateParameters({ ...far, precisionBits: Number(precisionBits) + 1, polyModulusDegrees })).toEqual([]);
});
