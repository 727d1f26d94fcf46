import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ClassificationPipeline } from '../src/index.js';
import { startWasm } from '../src/train/wasm.js';
import { pipeline } from '../src/use/pipeline.js';
import { shippedConfig } from './shipped_models.js';

const SIDE = 28;

/** A picture of 28 x 28 drawn with a pen of some two pixels: ink where the distance to the stroke is small. */
function drawn(distance: (x: number, y: number) => number): Float32Array {
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const far = distance((i % SIDE) - 13.5, Math.floor(i / SIDE) - 13.5);
    return 255 * Math.min(1, Math.max(0, 2.2 - far));
  });
}

/** Distance of a point to a line from (x0, y0) to (x1, y1). */
const line = (x0: number, y0: number, x1: number, y1: number) => (x: number, y: number) => {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const t = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
};

const STROKES: Readonly<Record<string, (x: number, y: number) => number>> = {
  0: (x, y) => Math.abs(Math.hypot(x * 1.4, y) - 8.5),
  1: line(1, -9, -1, 9),
  7: (x, y) => Math.min(line(-6, -8, 6, -8)(x, y), line(6, -8, -1, 9)(x, y)),
};

describe('power-mnist-vit', () => {
  let classify: ClassificationPipeline<ArrayLike<number>>;
  beforeAll(async () => {
    await startWasm();
    classify = await pipeline('image-classification', null, { fhe: 'disable' });
  });

  test.each(Object.keys(STROKES))('reads a drawn %s', async (digit) => {
    expect((await classify(drawn(STROKES[digit]!)))[0]?.label).toBe(digit);
  });

  test('holds what was promised: 97.5% as a polynomial, at most 1 point below softmax', async () => {
    const { accuracy } = await shippedConfig('power-mnist-vit');
    expect(accuracy.polynomial).toBeGreaterThanOrEqual(0.975);
    expect(accuracy.softmax - accuracy.polynomial).toBeLessThanOrEqual(0.01);
  });
});
