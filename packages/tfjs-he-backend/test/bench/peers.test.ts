import { describe, expect, test } from '@jest/globals';
import { median } from '../../bench/median.ts';
import { output } from '../../bench/peers/processes.ts';
import { peersReport } from '../../bench/peers/report.ts';
import { matrix, matrixTimesInput, polynomial, SIZE } from '../../bench/peers/workload.ts';

describe('the report of bench:peers', () => {
  const report = peersReport(
    [
      { peer: 'simd', measured: [{ case: 'dense', ms: 100, error: 2 ** -20.5 }] },
      {
        peer: 'TenSEAL',
        measured: [
          { case: 'dense', ms: 4000, error: 2 ** -31 },
          { case: 'dense, diagonals by hand', ms: 700, error: 2 ** -30 },
        ],
      },
      { peer: 'Lattigo', unavailable: 'go cannot be started' },
    ],
    [
      { build: 'simd engine', times: { butterflyNs: 0.5, macNs: 1 } },
      { build: 'native', times: { unavailable: 'cc cannot be started' } },
    ],
    '9 of wall time',
  );

  test('gives times in multiples of the simd engine, of its dense map for the one by hand', () => {
    expect(report).toContain('| dense 128x128 matrix times vector | 100.0 ms | 4000.0 ms (40.0) |  |');
    expect(report).toContain('baby and giant steps |  | 700.0 ms (7.0) |  |');
  });

  test('names what is not available, with the reason', () => {
    expect(report).toContain('Lattigo is not available: go cannot be started');
    expect(report).toContain('| native | cc cannot be started |  |');
  });

  test('gives the bits of the worst result', () => {
    expect(report).toContain('to 20 bits');
  });
});

describe('the workload of bench:peers', () => {
  test('has a polynomial whose coefficients begin with the constant', () => {
    expect(polynomial(0)).toBe(0.5);
    expect(polynomial(2)).toBeCloseTo(0.5 - 0.8 + 1.2 - 1.6 + 2.4 + 3.2 - 3.2 + 2.56, 12);
  });

  test('has a matrix whose rows multiply sines', () => {
    const row = Array.from({ length: SIZE }, (_, column) => matrix(3, column) * Math.sin(column + 1));
    expect(matrixTimesInput(3)).toBeCloseTo(
      row.reduce((sum, term) => sum + term, 0),
      12,
    );
  });

  test('takes the median of an even number of samples between the middle ones', () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
  });
});

describe('programs of bench:peers', () => {
  test('give their output', async () => {
    expect(await output(process.execPath, ['-e', 'console.log(process.env.PEER)'], { env: { PEER: 'here' } })).toBe('here\n');
  });

  test('fail with the last line of what they say', async () => {
    const failing = output(process.execPath, ['-e', 'console.error("first\\nthe reason"); process.exit(3)']);
    await expect(failing).rejects.toThrow('the reason');
  });

  test('that are not there say so', async () => {
    await expect(output('no-such-program', [])).rejects.toThrow('cannot be started');
  });
});
