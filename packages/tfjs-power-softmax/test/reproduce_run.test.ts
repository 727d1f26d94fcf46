import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readCorpus } from '../reproduce/corpus.ts';
import { EXPERIMENTS, tasksOf } from '../reproduce/experiments/all.ts';
import { type Budget, FULL } from '../reproduce/plan.ts';
import { readArchive, sectionsOf, writeReport } from '../reproduce/report/write.ts';
import { planOf, reproduce } from '../reproduce/reproduce.ts';

const TINY: Budget = {
  ...FULL,
  model: { features: 8, heads: 2, hidden: 8, layers: 1, normEpsilon: 0.1, tokens: 8 },
  training: { steps: 2, batch: 2, learningRate: 1e-3, warmUp: 1, points: 1, pointWindows: 2, finalWindows: 2 },
  powers: [4],
  rangePowers: [4],
  stability: { learningRates: [1e-2], powers: [4] },
  depths: [1],
  depthTraining: { steps: 2, points: 1, pointWindows: 2 },
  epsilons: [0.1],
  polynomial: { bits: 6, margin: 2, calibrationWindows: 4, validationWindows: 2 },
  windows: 4,
  lengthMultiples: [1, 2],
  lengthWindows: 2,
};

const MAIN = fileURLToPath(new URL('../reproduce/main.ts', import.meta.url));
/** Without the options that jest's own process has. */
const CLEAN = { ...process.env, NODE_OPTIONS: '' };

/** Milliseconds: six processes start, each with a WASM backend. */
const SLOW = 300_000;

const folder = mkdtempSync(path.join(tmpdir(), 'reproduce-'));
const [data, work, out] = ['data', 'work', 'out'].map((name) => path.join(folder, name)) as [string, string, string];
const lines: string[] = [];

function run(stopAfter = Number.POSITIVE_INFINITY) {
  const stop = new AbortController();
  lines.length = 0;
  const terminal = {
    write: (line: string) => {
      lines.push(line);
      if (lines.length === stopAfter) stop.abort();
    },
  };
  return reproduce(planOf(TINY, 1, readCorpus(data)), { data, work, jobs: 2, signal: stop.signal, terminal });
}

beforeAll(() => {
  mkdirSync(path.join(data, 'text'), { recursive: true });
  const text = Array.from({ length: 300 }, (_, i) => `line ${i * i} of a text\n`).join('');
  writeFileSync(path.join(data, 'text', 'tinyshakespeare.txt'), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

test(
  'stops, goes on where it stopped, and writes its report again from its own archive',
  async () => {
    const tasks = tasksOf(planOf(TINY, 1, readCorpus(data)));
    const stopped = await run(5);
    const done = Object.keys(stopped.results).length;
    expect(done).toBeGreaterThanOrEqual(5);
    expect(done).toBeLessThan(tasks.length);

    const archive = await run();
    expect(lines).toHaveLength(tasks.length - done);
    expect(archive.results).toMatchObject(stopped.results);
    expect(Object.keys(archive.results)).toHaveLength(tasks.length);

    // Nothing is left to do, and no process starts.
    expect(await run()).toEqual(archive);
    expect(lines).toEqual([]);

    mkdirSync(path.join(out, 'notes'), { recursive: true });
    writeFileSync(path.join(out, 'notes', 'depth.md'), 'What people say about depth.\n');
    writeReport(archive, sectionsOf(archive), out);
    const page = readFileSync(path.join(out, 'README.md'), 'utf8');
    for (const { title } of EXPERIMENTS) expect(page).toContain(`## ${title}`);
    expect(page).toContain('What people say about depth.');
    for (const [, file] of page.matchAll(/\]\(([\w-]+\.svg)\)/g)) expect(readdirSync(out)).toContain(file);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);

    writeReport(readArchive(out), sectionsOf(readArchive(out)), out);
    expect(readFileSync(path.join(out, 'README.md'), 'utf8')).toBe(page);
  },
  SLOW,
);

test(
  'the command prints its tables as JSON, and what is wrong with its arguments',
  () => {
    const command = (...args: string[]) => spawnSync(process.execPath, ['--no-warnings', MAIN, ...args], { encoding: 'utf8', env: CLEAN });
    const printed = command('--report-only', '--out', out, '--json');
    expect(JSON.parse(printed.stdout)).toMatchObject(EXPERIMENTS.map(({ id, title }) => ({ id, title })));
    expect(printed.status).toBe(0);
    const refused = command('--quick');
    expect(refused.stderr).toContain('--data is needed');
    expect(refused.status).toBe(1);
  },
  SLOW,
);

test(
  'stops with the reason when a run fails',
  async () => {
    rmSync(work, { recursive: true });
    // A file where a folder should be: results cannot be written.
    writeFileSync(work, '');
    await expect(run()).rejects.toThrow(/failed: .*ENOTDIR|failed: .*EEXIST/);
  },
  SLOW,
);
