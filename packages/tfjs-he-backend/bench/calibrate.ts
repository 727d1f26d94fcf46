import '@tensorflow/tfjs-backend-cpu';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { enableProdMode, setBackend, square } from '@tensorflow/tfjs-core';
import {
  COST_NAMES,
  type Costs,
  calibrationProgram,
  compile,
  DEFAULT_COSTS,
  fitCosts,
  type Measured,
  manifestOf,
  type Program,
  profile,
} from 'tfjs-he-backend';
import { createClient } from 'tfjs-he-backend/client';
import { createServer, type RunResult } from 'tfjs-he-backend/server';
import { SHIPPED_MODEL, shippedModel } from './shipped_model.ts';

export const CALIBRATE_HELP = `calibrate: measures node-seal's operations on this machine; the result is the option \`costs\` of compile

  --out FILE       writes the costs as JSON
  --json           prints the costs as JSON, and nothing else on stdout`;

const REPEAT = 6;
/** Rounds after the first, which encodes constants. All programs take turns, so that a machine that is busy is so for all of them. */
const ROUNDS = 4;

/** Costs, and the shipped model's latency as predicted from them and as measured at once after. */
export async function calibrate(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(CALIBRATE_HELP);
    return;
  }
  enableProdMode();
  await setBackend('cpu');
  const { model, inputShape } = await shippedModel();
  const shipped = await compile(model, { inputShape });
  const small = await compile((x) => square(x), { inputShape: [4], polyModulusDegrees: [8192] });
  const calibrations = [small, shipped].map(({ parameters }) => calibrationProgram(parameters, REPEAT));
  const runners = await Promise.all([...calibrations, shipped].map((program) => openRunner(program)));
  const results: RunResult[][] = runners.map(() => []);
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [i, { run }] of runners.entries()) {
        const result = await run();
        if (round > 0) results[i]?.push(result);
      }
    }
  } finally {
    for (const { dispose } of runners) dispose();
  }
  const measured: Measured[] = calibrations.map((program, i) => ({ program, repeat: REPEAT, ...averaged(results[i] ?? []) }));
  const costs = fitCosts(measured);
  const json = JSON.stringify(costs, null, 2);
  if (values.out !== undefined) await writeFile(values.out, `${json}\n`);
  const report = values.json ? console.error : console.log;
  if (values.json) console.log(json);
  else for (const name of COST_NAMES) report(`${name.padEnd(18)} ${costLine(name, costs)}`);
  predict(shipped, results.at(-1) ?? [], costs, report);
}

function costLine(name: (typeof COST_NAMES)[number], costs: Costs): string {
  return `${costs[name].toExponential(2)} ms a unit, ${(costs[name] / DEFAULT_COSTS[name]).toFixed(2)} of the default`;
}

/** Predicted and measured, without network. */
function predict(program: Program, results: readonly RunResult[], costs: Costs, report: (line: string) => void): void {
  const predicted = profile(program, 0, costs).predictedMs;
  const actual = mean(results.map(({ evaluateMs, refreshMs }) => evaluateMs + refreshMs));
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  report(
    `${SHIPPED_MODEL} on seal: predicted ${seconds(predicted)}, measured ${seconds(actual)}, ratio ${(predicted / actual).toFixed(2)}`,
  );
}

/** Times of a layer, and of the refreshes, on average. */
function averaged(results: readonly RunResult[]): Pick<Measured, 'layers' | 'refreshMs'> {
  const layers = (results[0]?.layers ?? []).map(({ name }, i) => ({ name, ms: mean(results.map((result) => result.layers[i]?.ms ?? 0)) }));
  return { layers, refreshMs: mean(results.map(({ refreshMs }) => refreshMs)) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Client and server in this process; runs are on meaningless values. */
async function openRunner(program: Program): Promise<{ run: () => Promise<RunResult>; dispose: () => void }> {
  const client = await createClient(manifestOf(program), { engine: 'seal' });
  const server = await createServer(program, { engine: 'seal' });
  const session = await server.openSession(await client.evaluationKeys());
  const { slots } = client.parameters;
  return {
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
