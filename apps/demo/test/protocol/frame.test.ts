import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DemoError } from '../../src/errors.js';
import { decodeFrame, encodeFrame, FRAME_KINDS, type FrameKind, maxFrameBytes } from '../../src/protocol/frame.js';

const kinds = Object.keys(FRAME_KINDS) as FrameKind[];
const frames = fc.record({
  kind: fc.constantFrom(...kinds),
  segment: fc.nat({ max: 0xffff }),
  ciphertexts: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
});

describe('frames', () => {
  test('come back as they were sent', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const bytes = encodeFrame(frame);
        const read = decodeFrame(bytes, { ...frame, count: frame.ciphertexts.length });
        expect(read.map((body) => [...body])).toEqual(frame.ciphertexts.map((body) => [...body]));
        expect(bytes.length).toBeLessThanOrEqual(maxFrameBytes(frame.ciphertexts.length, 40));
      }),
    );
  });

  test('are views, not copies', () => {
    const bytes = encodeFrame({ kind: 'inputs', segment: 0, ciphertexts: [Uint8Array.of(1, 2)] });
    const [body] = decodeFrame(bytes, { kind: 'inputs', segment: 0, count: 1 });
    expect(body?.buffer).toBe(bytes.buffer);
  });

  test('that are cut short or extended are refused', () => {
    fc.assert(
      fc.property(frames, fc.nat(), (frame, cut) => {
        const bytes = encodeFrame(frame);
        const expected = { ...frame, count: frame.ciphertexts.length };
        expect(() => decodeFrame(bytes.subarray(0, cut % bytes.length), expected)).toThrow(DemoError);
        expect(() => decodeFrame(Buffer.concat([bytes, Buffer.alloc(1)]), expected)).toThrow(DemoError);
      }),
    );
  });

  test('of another kind, segment or count than expected are refused', () => {
    const bytes = encodeFrame({ kind: 'refreshed', segment: 3, ciphertexts: [new Uint8Array(2)] });
    const right = { kind: 'refreshed', segment: 3, count: 1 } as const;
    expect(decodeFrame(bytes, right)).toHaveLength(1);
    for (const wrong of [{ kind: 'inputs' }, { segment: 2 }, { count: 2 }] as const) {
      expect(() => decodeFrame(bytes, { ...right, ...wrong })).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    }
  });

  test('of random bytes never throw anything but a protocol error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(() => decodeFrame(bytes, { kind: 'inputs', segment: 0, count: 1 })).toThrow(DemoError);
      }),
    );
  });
});
