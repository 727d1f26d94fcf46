import '@tensorflow/tfjs-backend-cpu';
import { parseArgs } from 'node:util';
import { enableProdMode, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import { compileGraph, HeError, manifestOf, type Program, traceFunction } from 'tfjs-he-backend';
import { createClient, pack, unpack } from 'tfjs-he-backend/client';
import { createServer } from 'tfjs-he-backend/server';
import { type RandomGraph, randomGraph } from './random_graph.ts';

export const FUZZ_HELP = `fuzz: random graphs of up to 12 operations, compiled and compared with tfjs on the CPU

  --mock N         graphs on mock (default 1000)
  --seal N         graphs on node-seal (default 30)
  --simd N         graphs on simd (default 30)
  --seed N         the first seed (default 1)
  --degree N       ring degree: 8192, 16384 or 32768 (default 8192)`;

const ENGINES = ['mock', 'seal', 'simd'] as const;
type Engine = (typeof ENGINES)[number];

/** Least bits of agreement; the values of random graphs are about one. */
const FUZZ_BITS = 8;
/** Values between two scalings reach some hundreds. */
const OPTIONS = { precisionBits: 13, valueBits: 8 };

interface Tally {
  compared: number;
  /** Graphs whose outputs are the same whatever the inputs. */
  constant: number;
  failed: number;
  bits: number;
}

/** @throws Error when a graph fails; all of them are tried first. */
export async function fuzz(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      mock: { type: 'string', default: '1000' },
      seal: { type: 'string', default: '30' },
      simd: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      degree: { type: 'string', default: '8192' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(FUZZ_HELP);
    return;
  }
  enableProdMode();
  await setBackend('cpu');
  let failed = 0;
  for (const engine of ENGINES) {
    const tally: Tally = { compared: 0, constant: 0, failed: 0, bits: Number.POSITIVE_INFINITY };
    for (let i = 0; tally.compared + tally.failed < Number(values[engine]); i++)
      await tryGraph(engine, Number(values.degree), Number(values.seed) + i, tally);
    const { compared, constant, bits } = tally;
    console.log(
      `${engine}: ${compared} graphs agree, at least ${bits.toFixed(1)} bits; ${tally.failed} fail; ${constant} more are constant`,
    );
    failed += tally.failed;
  }
  if (failed > 0) throw new Error(`${failed} graphs failed`);
}

async function tryGraph(engine: Engine, degree: number, seed: number, tally: Tally): Promise<void> {
  const graph = randomGraph(1 + (seed % 12), seed);
  try {
    const program = await compileRandom(graph, degree);
    if (program === null) {
      tally.constant++;
      return;
    }
    const outputs = await infer(graph, program, engine);
    const bits = Math.min(...outputs.map((output, i) => agreement(output, graph.expected[i] ?? new Float32Array(0))));
    if (!(bits >= FUZZ_BITS)) throw new Error(`${bits.toFixed(1)} bits of agreement`);
    tally.bits = Math.min(tally.bits, bits);
    tally.compared++;
  } catch (error) {
    tally.failed++;
    console.error(`seed ${seed} on ${engine}: ${error instanceof Error ? error.message : String(error)}\n${graph.text}\n`);
  }
}

/** Null: an output does not depend on the inputs, which the compiler refuses. */
async function compileRandom({ inputs, body }: RandomGraph, degree: number): Promise<Program | null> {
  try {
    const graph = await traceFunction((x: Tensor | Tensor[]) => body(Array.isArray(x) ? x : [x]), inputs);
    return compileGraph(graph, { ...OPTIONS, polyModulusDegrees: [degree] });
  } catch (error) {
    if (error instanceof HeError && error.message.includes('does not depend on')) return null;
    throw error;
  }
}

async function infer({ inputs }: RandomGraph, program: Program, engine: Engine): Promise<Float32Array[]> {
  const client = await createClient(manifestOf(program), { engine: engine === 'mock' ? 'mock' : 'seal' });
  const server = await createServer(program, { engine });
  try {
    const session = await server.openSession(await client.evaluationKeys());
    const { slots } = client.parameters;
    const valuesOf = (name: string): Float32Array => inputs.find((input) => input.name === name)?.values ?? new Float32Array(0);
    const vectors = server.manifest.inputs.flatMap((layout) => pack(valuesOf(layout.name), layout, slots));
    const result = await session.run(client.encrypt(vectors), { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
    const decrypted = client.decrypt(result.outputs);
    session.dispose();
    let next = 0;
    return server.manifest.outputs.map((layout) => {
      const own = decrypted.slice(next, next + layout.ciphertexts);
      next += layout.ciphertexts;
      return unpack(own, layout, slots);
    });
  } finally {
    server.dispose();
    client.dispose();
  }
}

/** -log2 of the largest absolute difference. */
function agreement(actual: Float32Array, expected: Float32Array): number {
  let worst = actual.length === expected.length ? 0 : Number.NaN;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? Number.NaN)));
  return -Math.log2(worst);
}
