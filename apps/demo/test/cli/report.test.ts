import { describe, expect, test } from '@jest/globals';
import { type Report, reportText } from '../../src/cli/report.js';
import { maxAbsError, topLabels } from '../../src/client/ranking.js';

describe('ranking', () => {
  test('orders by logit and gives softmax scores', () => {
    const top = topLabels(Float32Array.of(0, Math.log(3), -50), ['a', 'b', 'c'], 2);
    expect(top.map(({ label }) => label)).toEqual(['b', 'a']);
    expect(top[0]!.score).toBeCloseTo(0.75, 6);
    expect(top[1]!.score).toBeCloseTo(0.25, 6);
  });

  test('survives logits whose exponentials overflow', () => {
    expect(topLabels(Float32Array.of(1000, 999), ['a', 'b'], 1)[0]!.score).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
  });

  test('takes the largest error, and does not hide one that is no number', () => {
    expect(maxAbsError(Float32Array.of(1, 2), Float32Array.of(1.5, 4))).toBe(2);
    expect(maxAbsError(Float32Array.of(1, Number.NaN), Float32Array.of(1, 2))).toBeNaN();
    expect(maxAbsError(Float32Array.of(1), Float32Array.of(1, 2))).toBeNaN();
  });
});

const run = {
  maxAbsError: 2 ** -10,
  refreshes: 3,
  uploadBytes: 1_500_000,
  downloadBytes: 900,
  latencyMs: { setup: 2000, encrypt: 1, evaluate: 2, refresh: 3, decrypt: 4, total: 2010 },
  layers: [{ name: 'block_0/attention', ms: 1234.4, fromLevel: 9, toLevel: 4 }],
};
const report: Report = {
  model: 'm',
  input: 'Where is my card?',
  encrypted: [{ label: 'card_arrival', score: 0.5, logit: 1 }],
  plain: [{ label: 'card_arrival', score: 0.5, logit: 1 }],
  ...run,
  params: { polyModulusDegree: 8192, coeffModulusBits: [50, 30, 50], securityBits: 128 },
  engine: 'seal',
  threads: 1,
  evaluationKeyBytes: 12_000_000,
  setupMs: { server: 500, keys: 1000, upload: 500 },
  runs: [run, { ...run, latencyMs: { ...run.latencyMs, setup: 0, total: 10 } }],
};

describe('report for people', () => {
  const lines = reportText(report).split('\n');

  test.each([
    /^1\. +card_arrival +50\.00 % +card_arrival +50\.00 %$/,
    /^largest absolute error of the logits: 9\.77e-4 \(10\.0 bits\)$/,
    /^block_0\/attention +9 to 4 +1234$/,
    /^1 \(cold\) +1 +2 +3 +4 +10$/,
    /^2 \(warm\) +1 +2 +3 +4 +10$/,
    /^setup: server 0\.5 s, keys 1\.0 s, upload 0\.5 s$/,
    /^traffic: 12\.0 MB of evaluation keys once; per question 1\.5 MB up, 0\.9 kB down, 3 refreshes$/,
    /^parameters: N = 8192, 3 primes of 50, 30, 50 bits \(130\), 128-bit security, engine seal, 1 thread$/,
  ])('has a line %s', (pattern) => {
    expect(lines.some((line) => pattern.test(line))).toBe(true);
  });

  test('has no infinite precision', () => {
    expect(reportText({ ...report, maxAbsError: 0 })).toContain('error of the logits: none that float32 shows\n');
  });

  test('warns only when nothing was secret', () => {
    expect(reportText(report)).not.toContain('nothing was secret');
    expect(reportText({ ...report, engine: 'mock' })).toContain('nothing was secret');
  });
});
