import '@tensorflow/tfjs-backend-cpu';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { enableProdMode, setBackend, square } from '@tensorflow/tfjs-core';
import {
  type CostEngine,
  type Costs,
  calibrationProgram,
  compile,
  costNamesOf,
  costOf,
  defaultCosts,
  fitCosts,
  type Measured,
  type Program,
  profile,
} from 'tfjs-he-backend';
import type { RunResult } from 'tfjs-he-backend/server';
import { type Least, leastOf, openRunner, type Runner } from './calibration_runner.ts';
import { shippedPrograms } from './shipped_model.ts';

export const CALIBRATE_HELP = `calibrate: measures an engine's operations on this machine; the result is the option \`costs\` of compile. Then predicts and measures the models of he-models,
and fails where a prediction from these costs is not within 0.75 and 1.25 of what was measured.

  --engine NAME    seal or simd (default simd)
  --threads N      threads of simd (default 1)
  --rounds N       runs of every program, of which the fastest counts, layer by layer (default 8); more for a machine that is busy
  --cpu            processor time of this process, for a machine that is busy (one thread)
  --out FILE       writes the costs as JSON
  --json           prints the costs as JSON, and nothing else on stdout`;

const REPEAT = 6;
/** Predicted by measured latency: how far a prediction may be off. */
const [LEAST_RATIO, MOST_RATIO] = [0.75, 1.25];

/** Costs, and the shipped models' latencies as predicted from them and as measured at the same time. */
export async function calibrate(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      engine: { type: 'string', default: 'simd' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '8' },
      cpu: { type: 'boolean', default: false },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(CALIBRATE_HELP);
    return;
  }
  const engine = engineNamed(values.engine);
  const [threads, rounds] = [values.threads, values.rounds].map(Number);
  if (threads === undefined || rounds === undefined || ![threads, rounds].every((count) => Number.isInteger(count) && count > 0))
    throw new Error('--threads and --rounds take positive integers');
  if (values.cpu) performance.now = processorTime;
  enableProdMode();
  await setBackend('cpu');
  const shipped = await shippedPrograms(engine);
  const small = await compile((x) => square(x), { inputShape: [4], polyModulusDegrees: [8192], engine });
  const chains = new Map(
    [small, ...shipped.map(({ program }) => program)].map(({ parameters }) => [parameters.coeffModulus.join(), parameters]),
  );
  const calibrations = [...chains.values()].map((literal) => calibrationProgram(literal, REPEAT));
  const programs = [...calibrations, ...shipped.map(({ program }) => program)];
  const results: RunResult[][] = programs.map(() => []);
  const runners: Runner[] = [];
  try {
    for (const program of programs) runners.push(await openRunner(program, engine, threads));
    // All programs take turns, so that a machine that is busy is so for all of them; the first round encodes constants.
    for (let round = 0; round <= rounds; round++) {
      for (const [i, { run }] of runners.entries()) {
        const result = await run();
        if (round > 0) results[i]?.push(result);
      }
    }
  } finally {
    for (const { dispose } of runners) dispose();
  }
  const measured: Measured[] = calibrations.map((program, i) => ({ program, repeat: REPEAT, ...leastOf(results[i] ?? []) }));
  const prepared: Measured[] = shipped.map(({ program }, i) => {
    const encodeMs = runners[calibrations.length + i]?.encodeMs ?? 0;
    // Their layers too: operations on data that is not in the caches.
    return { program, repeat: 1, ...leastOf(results[calibrations.length + i] ?? []), encodeMs };
  });
  const costs = fitCosts([...measured, ...prepared], engine);
  const json = JSON.stringify(costs, null, 2);
  if (values.out !== undefined) await writeFile(values.out, `${json}\n`);
  const report = values.json ? console.error : console.log;
  const defaults = defaultCosts(engine, engine === 'simd' ? threads : 1);
  if (values.json) console.log(json);
  else for (const name of costNamesOf(engine)) report(`${name.padEnd(18)} ${costLine(name, costs, defaults)}`);
  const machine = threads > 1 ? `${engine}, ${threads} threads` : engine;
  for (const [i, { name, program }] of shipped.entries()) {
    const measuredMs = leastOf(results[calibrations.length + i] ?? []);
    report(`${name} on ${machine}: ${comparison(program, measuredMs, costs)}; ${ofDefaults(program, measuredMs, defaults)}`);
    const ratio = ratioOf(program, measuredMs, costs);
    if (ratio >= LEAST_RATIO && ratio <= MOST_RATIO) continue;
    console.error(
      `${name}: the prediction is off by more than a quarter. Repeat it on a machine that does nothing else, or with more --rounds.`,
    );
    process.exitCode = 1;
  }
}

/** Milliseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function engineNamed(name: string): CostEngine {
  if (name === 'seal' || name === 'simd') return name;
  throw new Error(`--engine is seal or simd, not '${name}'`);
}

function costLine(name: Parameters<typeof costOf>[1], costs: Costs, defaults: Costs): string {
  const value = costOf(costs, name);
  return `${value.toExponential(2)} ms a unit, ${(value / costOf(defaults, name)).toFixed(2)} of the default`;
}

/** Predicted by measured latency, without network. */
function ratioOf(program: Program, { evaluateMs, refreshMs }: Least, costs: Costs): number {
  return profile(program, 0, costs).predictedMs / (evaluateMs + refreshMs);
}

function comparison(program: Program, measured: Least, costs: Costs): string {
  const { predictedMs, refreshes } = profile(program, 0, costs);
  const { evaluateMs, refreshMs } = measured;
  const ratio = ratioOf(program, measured, costs).toFixed(2);
  return `predicted ${predictedMs.toFixed(0)} ms, measured ${(evaluateMs + refreshMs).toFixed(0)} ms (${refreshMs.toFixed(0)} for ${refreshes} refreshes), ratio ${ratio}`;
}

function ofDefaults(program: Program, measured: Least, defaults: Costs): string {
  const { predictedMs } = profile(program, 0, defaults);
  return `by the default costs ${predictedMs.toFixed(0)} ms, ratio ${ratioOf(program, measured, defaults).toFixed(2)}`;
}
