import { parseArgs } from 'node:util';
import { type Attention, attentionCase } from './engine_attention.ts';
import { ENGINE_CASES, type EngineCase } from './engine_cases.ts';
import { median } from './median.ts';
import { openEngines } from './open_engines.ts';

export const ENGINES_HELP = `engines: node-seal and the simd engine on the same ciphertexts, medians of alternating runs, warm

  --json           one JSON object a line (case, sealMs, simdMs1, simdMs2, ratio1, ratio2, target1, target2)
  --case TEXT      only cases whose name contains TEXT
  --samples N      runs of every case and engine (default 9)
  --cpu            processor time instead of wall time, for busy machines; one thread only`;

interface Row {
  readonly case: string;
  readonly sealMs: number;
  /** One thread, and two: null with --cpu. */
  readonly simdMs1: number;
  readonly simdMs2: number | null;
  readonly ratio1: number;
  readonly ratio2: number | null;
  readonly target1: number;
  readonly target2: number;
}

type Clock = () => number;
/** May return the milliseconds to count, where not all it does is to be counted. */
type Run = () => void | Promise<void> | Promise<number>;

const WALL: Clock = () => performance.now();
const CPU: Clock = () => process.cpuUsage().user / 1000;

/** What a run measured itself (in wall time), or how long it took. */
async function timed(run: Run, clock: Clock): Promise<number> {
  const start = clock();
  const own = await run();
  return typeof own === 'number' && clock === WALL ? own : clock() - start;
}

/** Alternates the engines, so that what else the machine does falls on all. */
async function measure(
  name: string,
  targets: EngineCase['targets'],
  runs: { readonly seal: Run; readonly simd: Run; readonly simd2: Run },
  samples: number,
  clock: Clock,
): Promise<Row> {
  // Processor time of two threads says nothing about waiting for them.
  const sides: readonly Run[] = clock === CPU ? [runs.seal, runs.simd] : [runs.seal, runs.simd, runs.simd2];
  for (const run of sides) await run();
  const times = sides.map((): number[] => []);
  for (let i = 0; i < samples; i++) for (const [side, run] of sides.entries()) times[side]?.push(await timed(run, clock));
  const [sealMs = 0, simdMs1 = 0, simdMs2 = null] = times.map(median);
  return {
    case: name,
    sealMs,
    simdMs1,
    simdMs2,
    ratio1: sealMs / simdMs1,
    ratio2: simdMs2 === null ? null : sealMs / simdMs2,
    target1: targets[0],
    target2: targets[1],
  };
}

function print(row: Row, json: boolean): void {
  if (json) console.log(JSON.stringify(row));
  else {
    const ms = (value: number): string => `${value.toFixed(2).padStart(9)} ms`;
    const ratio = (value: number, target: number): string => `${value.toFixed(1).padStart(5)} (target ${target})`;
    const two = row.simdMs2 === null || row.ratio2 === null ? '' : `  2 threads ${ms(row.simdMs2)} ${ratio(row.ratio2, row.target2)}`;
    console.log(`${row.case.padEnd(52)} seal ${ms(row.sealMs)}  simd ${ms(row.simdMs1)} ${ratio(row.ratio1, row.target1)}${two}`);
  }
}

export async function engines(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      case: { type: 'string', default: '' },
      samples: { type: 'string', default: '9' },
      cpu: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(ENGINES_HELP);
    return;
  }
  const clock = values.cpu ? CPU : WALL;
  const samples = Number(values.samples);
  if (!Number.isInteger(samples) || samples < 1) throw new Error('--samples takes a positive integer');
  for (const { parameters, steps, cases } of ENGINE_CASES) {
    const wanted = cases.filter(({ name }) => name.includes(values.case));
    if (wanted.length === 0) continue;
    const opened = await openEngines(parameters, steps);
    try {
      const sides = { ...opened, simd: await opened.openSimd(1), simd2: await opened.openSimd(2) };
      for (const { name, targets, prepare } of wanted) {
        const prepared = prepare(sides);
        print(await measure(name, targets, prepared, samples, clock), values.json);
        prepared.dispose();
      }
    } finally {
      opened.close();
    }
  }
  const attention: Attention = attentionCase();
  if (attention.name.includes(values.case)) {
    const prepared = await attention.prepare();
    print(await measure(attention.name, attention.targets, prepared, samples, clock), values.json);
    prepared.dispose();
  }
}
