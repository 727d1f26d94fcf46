import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { isAlive, runCli, startCli } from '../support/run_cli.js';

const QUESTION = 'My card was stolen, please block it';

const ranked = z.strictObject({ label: z.string().min(1), score: z.number().min(0).max(1), logit: z.number() });
const run = {
  maxAbsError: z.number().min(0),
  refreshes: z.int().min(0),
  uploadBytes: z.int().positive(),
  downloadBytes: z.int().positive(),
  latencyMs: z.strictObject({
    setup: z.number(),
    encrypt: z.number(),
    evaluate: z.number(),
    refresh: z.number(),
    decrypt: z.number(),
    total: z.number(),
  }),
  layers: z.array(z.strictObject({ name: z.string(), ms: z.number(), fromLevel: z.int(), toLevel: z.int() })).min(1),
};
const report = z.strictObject({
  model: z.literal('power-banking77'),
  input: z.literal(QUESTION),
  encrypted: z.array(ranked).length(3),
  plain: z.array(ranked).length(3),
  ...run,
  params: z.strictObject({
    polyModulusDegree: z.int(),
    coeffModulusBits: z.array(z.int().min(20).max(50)),
    securityBits: z.literal(128),
  }),
  engine: z.literal('mock'),
  threads: z.literal(1),
  evaluationKeyBytes: z.int().positive(),
  setupMs: z.strictObject({ server: z.number().positive(), keys: z.number(), upload: z.number() }),
  runs: z.array(z.strictObject(run)).length(2),
});

describe('demo --json with the pretrained model', () => {
  test('prints the report as the last line, and the encrypted answer is the plain one', async () => {
    const { code, stdout, stderr } = await runCli(QUESTION, '--json', '--engine', 'mock', '--repeat', '2');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('layer') });
    const parsed = report.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1)!));
    expect(parsed.encrypted[0]!.label).toBe(parsed.plain[0]!.label);
    expect(parsed.maxAbsError).toBeLessThan(2 ** -8);
    expect(parsed.latencyMs.setup).toBeGreaterThan(0);
    expect(parsed.runs[1]!.latencyMs.setup).toBe(0);
    expect(parsed.params.coeffModulusBits.length).toBeGreaterThan(2);
  });
});

describe('a server of its own', () => {
  test('that dies mid-run gives one line and exit code 1', async () => {
    const cli = startCli(QUESTION, '--engine', 'mock', '--repeat', '1000');
    const [, pid] = await cli.seen(/server process (\d+)/);
    await cli.seen(/layer/);
    process.kill(Number(pid), 'SIGKILL');
    const { code, stdout, stderr } = await cli.finished;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('error: the server process ended unexpectedly (SIGKILL): try again');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('ends with the command when that is interrupted', async () => {
    const cli = startCli(QUESTION, '--engine', 'mock', '--repeat', '1000');
    const [, pid] = await cli.seen(/server process (\d+)/);
    await cli.seen(/layer/);
    cli.process.kill('SIGINT');
    const { code, stderr } = await cli.finished;
    expect(code).toBe(130);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('error: interrupted');
    expect(isAlive(Number(pid))).toBe(false);
  });

  test('ends with the command when that is terminated during the start', async () => {
    const cli = startCli(QUESTION, '--engine', 'mock');
    await cli.seen(/starting the server/);
    cli.process.kill('SIGTERM');
    const { code, stderr } = await cli.finished; // resolves only when nobody holds its pipes any more
    expect(code).toBe(143);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('error: interrupted');
  });

  test('ends with the command even when that is killed', async () => {
    const cli = startCli(QUESTION, '--engine', 'mock', '--repeat', '1000');
    const [, pid] = await cli.seen(/server process (\d+)/);
    cli.process.kill('SIGKILL');
    await cli.finished;
    while (isAlive(Number(pid))) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isAlive(Number(pid))).toBe(false);
  });
});

test('a command that takes too long gives up', async () => {
  const { code, stderr } = await runCli(QUESTION, '--engine', 'mock', '--repeat', '1000', '--timeout', '1');
  expect(code).toBe(1);
  expect(stderr.trimEnd().split('\n').at(-1)).toBe('error: no answer within 1 s: allow more with --timeout');
});
