import { beforeAll, describe, expect, test } from '@jest/globals';
import { compileGraph, type Program, parseProgram, serializeProgram } from '../../src/index.js';
import { programDigest } from '../../src/program/digest.js';
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

  test('written again, it has the same bytes, and the same digest as when it was compiled', () => {
    const read = parseProgram(bytes);
    expect(Buffer.compare(serializeProgram(read), bytes)).toBe(0);
    expect(programDigest(read)).toBe(programDigest(program));
  });

  test('the digest tells programs apart by their instructions and by their weights', () => {
    const [first, ...rest] = program.constants;
    const values = Float64Array.from(first?.values ?? [], (value, i) => (i === 0 ? value + 1e-9 : value));
    const [segment, ...segments] = program.segments;
    const others = [
      { ...program, constants: [{ ...first!, values }, ...rest] },
      { ...program, segments: [{ ...segment!, instructions: segment!.instructions.slice(1) }, ...segments] },
    ];
    expect(new Set([program, ...others].map(programDigest)).size).toBe(3);
  });

  test('a file of version 1, which has one ciphertext per tensor, is read as one of version 2', () => {
    const before = (tensors: Program['inputs']) => tensors.map(({ registers: [register], layout }) => ({ register, layout }));
    const old: object = { ...program, version: 1, inputs: before(program.inputs), outputs: before(program.outputs) };
    expect(parseProgram(serializeProgram(old as Program))).toEqual(program);
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

  test('a program of another version, of instructions unknown here, or with broken indices says so', () => {
    const change = (changed: object, message: string) => {
      const file = serializeProgram({ ...program, ...changed });
      expect(() => parseProgram(file)).toThrow(
        expect.objectContaining({ code: 'PROGRAM_INVALID', message: expect.stringContaining(message) }),
      );
    };
    const [first, ...rest] = program.segments;
    const instead = (instruction: object) => ({ segments: [{ ...first, instructions: [instruction] }, ...rest] });
    change({ version: 3 }, 'not a program of version 1 or 2');
    change({ layers: 'none' }, 'layers is not a list');
    change(instead({ op: 'bootstrap', layer: 0, level: 1, out: 1, a: 0 }), 'unknown name');
    change(instead({ op: 'square', layer: 0, level: 1, out: program.registers, a: 0 }), 'a register is not an integer');
    change(instead({ op: 'square', layer: 0, level: 1, out: 1, a: 0 }), 'break the rules');
  });

  test('insecure parameters are refused', () => {
    const insecure = { ...program, parameters: { ...program.parameters, polyModulusDegree: 4096 } };
    expect(() => parseProgram(serializeProgram(insecure))).toThrow(expect.objectContaining({ code: 'PARAMETERS_INSECURE' }));
  });
});
