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
  manifestOf,
  type Program,
  profile,
} from 'tfjs-he-backend';
import { createClient } from 'tfjs-he-backend/client';
import { createServer, type RunResult, type Server } from 'tfjs-he-backend/server';
import { SHIPPED_MODELS, shippedModel } from './shipped_model.ts';

export const CALIBRATE_HELP = `calibrate: measures an engine's operations on this machine; the result is the option \`costs\` of compile

  --engine NAME    seal or simd (default simd)
  --threads N      threads of simd (default 1)
  --rounds N       runs of every program, of which the fastest counts, layer by layer (default 8); more for a machine that is busy
  --cpu            processor time of this process, for a machine that is busy (one thread)
  --out FILE       writes the costs as JSON
  --json           prints the costs as JSON, and nothing else on stdout`;

const REPEAT = 6;
/** How often constants are encoded, of which the fastest time counts. */
const ENCODINGS = 3;

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
  const shipped: { name: string; program: Program }[] = [];
  for (const name of SHIPPED_MODELS) {
    const { model, options } = await shippedModel(name);
    shipped.push({ name, program: await compile(model, { ...options, engine }) });
  }
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
  const measured: Measured[] = calibrations.map((program, i) => ({ program, repeat: REPEAT, ...least(results[i] ?? []) }));
  const prepared: Measured[] = shipped.map(({ program }, i) => {
    const encodeMs = runners[calibrations.length + i]?.encodeMs ?? 0;
    // Their layers too: operations on data that is not in the caches.
    return { program, repeat: 1, ...least(results[calibrations.length + i] ?? []), encodeMs };
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
    const measuredMs = least(results[calibrations.length + i] ?? []);
    report(`${name} on ${machine}: ${comparison(program, measuredMs, costs)}; ${ofDefaults(program, measuredMs, defaults)}`);
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

/** Predicted and measured, without network. */
function comparison(program: Program, { evaluateMs, refreshMs }: Least, costs: Costs): string {
  const { predictedMs, refreshes } = profile(program, 0, costs);
  const actual = evaluateMs + refreshMs;
  const ratio = (predictedMs / actual).toFixed(2);
  return `predicted ${predictedMs.toFixed(0)} ms, measured ${actual.toFixed(0)} ms (${refreshMs.toFixed(0)} for ${refreshes} refreshes), ratio ${ratio}`;
}

function ofDefaults(program: Program, { evaluateMs, refreshMs }: Least, defaults: Costs): string {
  const { predictedMs } = profile(program, 0, defaults);
  return `by the default costs ${predictedMs.toFixed(0)} ms, ratio ${(predictedMs / (evaluateMs + refreshMs)).toFixed(2)}`;
}

type Least = Pick<Measured, 'layers' | 'refreshMs'> & { readonly evaluateMs: number };

/** Times of layers, refreshes and all else when nothing else ran. */
function least(results: readonly RunResult[]): Least {
  const of = (pick: (result: RunResult) => number): number => Math.min(...results.map(pick));
  const layers = (results[0]?.layers ?? []).map(({ name }, i) => ({ name, ms: of((result) => result.layers[i]?.ms ?? 0) }));
  return { layers, refreshMs: of((result) => result.refreshMs), evaluateMs: of((result) => result.evaluateMs) };
}

interface Runner {
  readonly encodeMs: number;
  readonly run: () => Promise<RunResult>;
  readonly dispose: () => void;
}

async function preparationMs(server: Server): Promise<number> {
  const start = performance.now();
  await server.prepare();
  return performance.now() - start;
}

/** Client and server in this process; runs are on meaningless values. */
async function openRunner(program: Program, engine: CostEngine, threads: number): Promise<Runner> {
  const client = await createClient(manifestOf(program), { engine: 'seal' });
  let server = await createServer(program, { engine, ...(engine === 'simd' ? { threads } : {}) });
  let encodeMs = await preparationMs(server);
  for (let i = 1; i < ENCODINGS; i++) {
    server.dispose();
    server = await createServer(program, { engine, ...(engine === 'simd' ? { threads } : {}) });
    encodeMs = Math.min(encodeMs, await preparationMs(server));
  }
  const session = await server.openSession(await client.evaluationKeys());
  const { slots } = client.parameters;
  return {
    encodeMs,
    run: () => {
      const inputs = client.encrypt(server.manifest.inputs.map(() => new Float64Array(slots)));
      return session.run(inputs, { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
    },
    dispose() {
      session.dispose();
      server.dispose();
      client.dispose();
    },
  };
}
