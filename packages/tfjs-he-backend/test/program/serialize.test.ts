import { beforeAll, describe, expect, test } from '@jest/globals';
import { compileGraph, type Program, parseProgram, serializeProgram } from '../../src/index.js';
import { traceAttention } from '../support/attention.js';

let program: Program;
let bytes: Uint8Array;

beforeAll(async () => {
  program = compileGraph(await traceAttention({ tokens: 2, heads: 1, headDim: 2, labels: 2 }), { polyModulusDegrees: [8192] });
  bytes = serializeProgram(program);
});

describe('program files', () => {
  test('a program survives the round trip', () => {
    expect(parseProgram(bytes)).toEqual(program);
  });

  test('equal graphs give equal bytes', async () => {
    const again = compileGraph(await traceAttention({ tokens: 2, heads: 1, headDim: 2, labels: 2 }), { polyModulusDegrees: [8192] });
    expect(serializeProgram(again)).toEqual(bytes);
  });

  test.each([
    ['an empty file', () => new Uint8Array(0)],
    ['a foreign file', () => new TextEncoder().encode('something else entirely')],
    ['a truncated header', () => bytes.subarray(0, 100)],
    ['truncated constants', () => bytes.subarray(0, bytes.length - 8)],
    ['trailing bytes', () => Uint8Array.from([...bytes, 0])],
  ])('%s is PROGRAM_INVALID', (_, make) => {
    expect(() => parseProgram(make())).toThrow(expect.objectContaining({ code: 'PROGRAM_INVALID' }));
  });

  test('insecure parameters are refused', () => {
    const insecure = { ...program, parameters: { ...program.parameters, polyModulusDegree: 4096 } };
    expect(() => parseProgram(serializeProgram(insecure))).toThrow(expect.objectContaining({ code: 'PARAMETERS_INSECURE' }));
  });
});
