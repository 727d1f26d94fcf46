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

export const CALIBRATE_HELP = `calibrate: measures the operations of this machine; the result is the option \`costs\` of compile

  --engine NAME    seal or simd (default seal)
  --out FILE       writes the costs as JSON
  --json           prints the costs as JSON, and nothing else on stdout`;

const REPEAT = 6;
const RUNS = 3;

type Engine = 'seal' | 'simd';

/** Costs, and the shipped model's latency as predicted from them and as measured at once after. */
export async function calibrate(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      engine: { type: 'string', default: 'seal' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(CALIBRATE_HELP);
    return;
  }
  const { engine } = values;
  if (engine !== 'seal' && engine !== 'simd') throw new Error(`unknown engine '${engine}': seal or simd`);
  enableProdMode();
  await setBackend('cpu');
  const { model, inputShape } = await shippedModel();
  const shipped = await compile(model, { inputShape });
  const small = await compile((x) => square(x), { inputShape: [4], polyModulusDegrees: [8192] });
  const measured: Measured[] = [];
  for (const { parameters } of [small, shipped]) {
    const program = calibrationProgram(parameters, REPEAT);
    measured.push({ program, repeat: REPEAT, ...(await fastest(program, engine)) });
  }
  const costs = fitCosts(measured);
  const json = JSON.stringify(costs, null, 2);
  if (values.out !== undefined) await writeFile(values.out, `${json}\n`);
  const report = values.json ? console.error : console.log;
  if (values.json) console.log(json);
  else for (const name of COST_NAMES) report(`${name.padEnd(18)} ${costLine(name, costs)}`);
  await predict(await compile(model, { inputShape, costs }), engine, costs, report);
}

function costLine(name: (typeof COST_NAMES)[number], costs: Costs): string {
  return `${costs[name].toExponential(2)} ms a unit, ${(costs[name] / DEFAULT_COSTS[name]).toFixed(2)} of the default`;
}

/** Predicted and measured, without network. */
async function predict(program: Program, engine: Engine, costs: Costs, report: (line: string) => void): Promise<void> {
  const predicted = profile(program, 0, costs).predictedMs;
  const { evaluateMs, refreshMs } = await fastest(program, engine);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const actual = evaluateMs + refreshMs;
  report(
    `${SHIPPED_MODEL} on ${engine}: predicted ${seconds(predicted)}, measured ${seconds(actual)}, ratio ${(predicted / actual).toFixed(2)}`,
  );
}

/** The fastest of several runs on meaningless values; the first one encodes constants. */
async function fastest(program: Program, engine: Engine): Promise<RunResult> {
  const client = await createClient(manifestOf(program), { engine: 'seal' });
  const server = await createServer(program, { engine });
  try {
    const session = await server.openSession(await client.evaluationKeys());
    const { slots } = client.parameters;
    let best: RunResult | null = null;
    for (let run = 0; run < RUNS; run++) {
      const inputs = client.encrypt(server.manifest.inputs.map(() => new Float64Array(slots)));
      const result = await session.run(inputs, { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
      if (best === null || result.evaluateMs < best.evaluateMs) best = result;
    }
    session.dispose();
    if (best === null) throw new Error('no run');
    return best;
  } finally {
    server.dispose();
    client.dispose();
  }
}
