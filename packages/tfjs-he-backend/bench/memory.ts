import { parseArgs } from 'node:util';
import { choosePrimes, createParameters, manifestOf, type Program, profile } from 'tfjs-he-backend';
import { createClient } from 'tfjs-he-backend/client';
import { createServer } from 'tfjs-he-backend/server';
import { median } from './median.ts';

export const MEMORY_HELP = `memory: a dense map of 8192 values (N = 16384) on engine simd, whose encoded constants take 5.4 GB, more than WebAssembly's memory: with those that
do not fit kept outside of it, and with them encoded again. Takes up to twice --memory and 5.4 GB.

  --json           one JSON object a line (case, constants, constantBytes, memoryBytes, outsideBytes, insideBytes, runMs, restored, encoded and
                   evicted a run, bits: of the outputs against the map in the clear, ratio: to encoding again)
  --diagonals N    of the map, a multiple of 64 (default 8192, 655 KB each)
  --memory BYTES   limit of WebAssembly's memory (default 3 GiB)
  --samples N      runs of each, after a first one (default 3)
  --cpu            processor time instead of wall time, for busy machines`;

const DEGREE = 16384;
const BITS = [50, 48, 48, 48, 50];
const LEVEL = 3;
/** Baby steps; a giant step is one of so many. */
const BABIES = 64;
const SLOTS = DEGREE / 2;

const literal = {
  polyModulusDegree: DEGREE,
  coeffModulus: choosePrimes(DEGREE, BITS),
  securityBits: 128,
  refreshLevel: LEVEL - 1,
} as const;

/** All diagonals are cyclic shifts of these, so that the map itself is small. */
const WEIGHTS = Float64Array.from({ length: SLOTS }, (_, s) => Math.cos(s * s) / SLOTS);
const shiftOf = (diagonal: number): number => (diagonal * 5) % SLOTS;

/** sum_d rotate(x, d) * diagonal_d, by Horner's rule over the giant steps: diagonal d is rotated back by the giant steps that follow. */
function denseProgram(diagonals: number): Program {
  const parameters = createParameters(literal);
  const scale = (parameters.levelScale(LEVEL - 1) * parameters.primeAt(LEVEL)) / parameters.levelScale(LEVEL);
  const instructions: Program['segments'][number]['instructions'][number][] = [];
  const at = { layer: 0, level: LEVEL };
  for (let baby = 1; baby < BABIES; baby++) instructions.push({ ...at, op: 'rotate', out: baby, a: 0, steps: baby });
  let registers = BABIES;
  let total: number | undefined;
  for (let giant = diagonals / BABIES - 1; giant >= 0; giant--) {
    const sum = registers++;
    for (let baby = 0; baby < BABIES; baby++) {
      const operands = { a: baby, constant: giant * BABIES + baby };
      instructions.push(
        baby === 0 ? { ...at, op: 'multiplyPlain', out: sum, ...operands } : { ...at, op: 'accumulatePlain', acc: sum, ...operands },
      );
    }
    if (total !== undefined) {
      const moved = registers++;
      instructions.push({ ...at, op: 'rotate', out: moved, a: total, steps: BABIES }, { ...at, op: 'accumulate', acc: sum, a: moved });
    }
    total = sum;
  }
  instructions.push({ ...at, op: 'rescale', acc: total ?? 0, scale: parameters.levelScale(LEVEL - 1) });
  const layout = { shape: [SLOTS], ciphertexts: 1, slotOf: Array.from({ length: SLOTS }, (_, s) => s), period: SLOTS };
  return {
    format: 'he-program',
    version: 2,
    parameters: literal,
    layers: ['dense'],
    inputs: [{ registers: [0], layout: { ...layout, name: 'x' } }],
    outputs: [{ registers: [total ?? 0], layout: { ...layout, name: 'y' } }],
    constants: Array.from({ length: diagonals }, (_, d) => ({ values: WEIGHTS, shift: shiftOf(d), level: LEVEL, scale })),
    segments: [{ instructions, refreshes: [] }],
    registers,
    galoisSteps: Array.from({ length: BABIES }, (_, i) => i + 1),
  };
}

/** The same in the clear. */
function denseMap(x: Float64Array, diagonals: number): Float64Array {
  const y = new Float64Array(SLOTS);
  for (let d = 0; d < diagonals; d++) {
    const giant = d - (d % BABIES);
    for (let s = 0; s < SLOTS; s++) {
      const from = s + giant;
      y[s] = (y[s] ?? 0) + (x[(from + (d % BABIES)) % SLOTS] ?? 0) * (WEIGHTS[(from - shiftOf(d) + SLOTS) % SLOTS] ?? 0);
    }
  }
  return y;
}

interface Row {
  readonly case: string;
  readonly constants: number;
  readonly constantBytes: number;
  readonly memoryBytes: number;
  readonly outsideBytes: number;
  readonly insideBytes: number;
  readonly runMs: number;
  readonly restored: number;
  readonly encoded: number;
  readonly evicted: number;
  readonly bits: number;
  readonly ratio: number;
}

function print(row: Row, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(row));
    return;
  }
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  console.log(
    `${row.case.padEnd(14)} ${row.constants} constants of ${gigabytes(row.constantBytes)}, ${gigabytes(row.insideBytes)} inside, ${gigabytes(row.outsideBytes)} outside: ` +
      `${(row.runMs / 1000).toFixed(1)} s a run (ratio ${row.ratio.toFixed(2)}), ${row.restored} copied in, ${row.encoded} encoded, ${row.bits.toFixed(1)} bits`,
  );
}

export async function memory(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      diagonals: { type: 'string', default: '8192' },
      memory: { type: 'string', default: String(3 * 2 ** 30) },
      samples: { type: 'string', default: '3' },
      cpu: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(MEMORY_HELP);
    return;
  }
  const [diagonals, memoryBytes, samples] = [Number(values.diagonals), Number(values.memory), Number(values.samples)];
  if (!Number.isInteger(diagonals / BABIES) || diagonals < BABIES || diagonals > SLOTS)
    throw new Error(`--diagonals takes a multiple of ${BABIES} up to ${SLOTS}`);
  const program = denseProgram(diagonals);
  const client = await createClient(manifestOf(program), { engine: 'seal' });
  const keys = await client.evaluationKeys();
  const x = Float64Array.from({ length: SLOTS }, (_, s) => Math.sin(s));
  const [inputs, expected] = [client.encrypt([x]), denseMap(x, diagonals)];
  const constantBytes = profile(program).simdConstantBytes;

  const measure = async (outsideBytes: number): Promise<Omit<Row, 'case' | 'ratio'>> => {
    const server = await createServer(program, { engine: 'simd', memoryBytes, outsideBytes });
    const session = await server.openSession(keys);
    const clock = (): number => {
      const { user, system } = process.cpuUsage();
      return values.cpu ? (user + system) / 1000 : performance.now();
    };
    const run = async () => {
      const start = clock();
      const { outputs } = await session.run(inputs, { refresh: async (ciphertexts) => ciphertexts });
      return { ms: clock() - start, outputs };
    };
    const { outputs } = await run();
    const before = server.memoryUse.constants;
    const times: number[] = [];
    while (times.length < samples) times.push((await run()).ms);
    const after = server.memoryUse.constants;
    const [slots] = client.decrypt(outputs);
    const worst = expected.reduce((most, value, s) => Math.max(most, Math.abs(value - (slots?.[s] ?? 0))), 0);
    const each = (count: 'restored' | 'encoded' | 'evicted'): number => (after[count] - before[count]) / samples;
    session.dispose();
    server.dispose();
    return {
      constants: diagonals,
      constantBytes,
      memoryBytes,
      outsideBytes: after.outsideBytes,
      insideBytes: after.bytes,
      runMs: median(times),
      restored: each('restored'),
      encoded: each('encoded'),
      evicted: each('evicted'),
      bits: -Math.log2(worst),
    };
  };

  const again = await measure(0);
  print({ case: 'encoded again', ...again, ratio: 1 }, values.json);
  const outside = await measure(constantBytes);
  print({ case: 'kept outside', ...outside, ratio: again.runMs / outside.runMs }, values.json);
  client.dispose();
}
