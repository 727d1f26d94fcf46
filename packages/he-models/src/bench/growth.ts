import '@tensorflow/tfjs-backend-cpu';
import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';
import { compile, defaultCosts, HeError, type Program, profile } from 'tfjs-he-backend';
import { choiceOption, integerOption, parseArguments } from '../cli/arguments.js';
import { UsageError } from '../errors.js';
import { type EvaluatorOptions, evaluatorOf } from '../use/evaluator.js';
import { measureRuns } from './encrypted_run.js';
import { type EncoderSizes, untrainedModel } from './untrained_model.js';

export const GROWTH_HELP = `npm run bench -w he-models -- growth [options]

How key switches and latency of an encoder grow with its tokens, features and blocks: one of the three at a time, the others at 32, 64 and 1. Key
switches, refreshes and the latency predicted for a 2-vCPU Xeon (engine simd, no network) come from the compiled program.

  --of NAME      tokens, features or blocks (default: all three)
  --measure      run each program, encrypted, engine simd, and print the median of warm runs
  --repeat N     warm runs (default 3)
  --threads N    of simd, predicted and measured (default: 2, or 1 on a machine with one core)
  --json         one JSON object per line`;

const BASE: EncoderSizes = { tokens: 32, features: 64, blocks: 1 };

/** Values of each size, the others being those of {@link BASE}. */
export const GROWTH: Readonly<Record<keyof EncoderSizes, readonly number[]>> = {
  tokens: [16, 32, 64, 128],
  features: [32, 64, 128, 256],
  blocks: [1, 2, 4, 8],
};

export interface GrowthRow extends EncoderSizes {
  readonly of: keyof EncoderSizes;
  readonly ringDegree?: number;
  /** Levels from input to output. */
  readonly depth?: number;
  readonly keySwitches?: number;
  /** Ciphertexts refreshed. */
  readonly refreshes?: number;
  readonly keyBytes?: number;
  /** Encoded constants of engine simd, if all are kept. */
  readonly constantBytes?: number;
  /** Rounds of refreshes. */
  readonly refreshRounds?: number;
  /** Of a warm run without network. */
  readonly predictedMs?: number;
  /** Of engine `simd`. */
  readonly threads?: number;
  /** Median of warm encrypted runs. */
  readonly measuredMs?: number;
  /** Why it was not compiled or measured: the code of a HeError. */
  readonly error?: string;
}

/** @throws UsageError */
export async function growth(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArguments(args, {
    of: { type: 'string' },
    measure: { type: 'boolean', default: false },
    repeat: { type: 'string', default: '3' },
    threads: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help === true) return console.log(GROWTH_HELP);
  if (positionals.length > 0) throw new UsageError(`growth takes no ${positionals.join(' ')}. See --help.`, { given: positionals });
  const repeat = integerOption('repeat', values.repeat, 1) ?? 1;
  const threads = integerOption('threads', values.threads, 1);
  const evaluator = threads === undefined ? {} : { threads };
  const all = ['tokens', 'features', 'blocks'] as const;
  const sizes = values.of === undefined ? all : [choiceOption('of', values.of, all)];
  enableProdMode();
  await setBackend('cpu');
  for (const of of sizes) {
    for (const value of GROWTH[of]) {
      const row = await growthRow(of, { ...BASE, [of]: value }, values.measure === true ? repeat : 0, evaluator);
      console.log(values.json === true ? JSON.stringify(row) : lineOf(row));
    }
  }
}

/** @param repeat warm encrypted runs; 0 for none */
export async function growthRow(
  of: keyof EncoderSizes,
  sizes: EncoderSizes,
  repeat: number,
  evaluator: Pick<EvaluatorOptions, 'threads'> = {},
): Promise<GrowthRow> {
  const model = untrainedModel(sizes);
  const { threads } = evaluatorOf('execute', evaluator);
  try {
    const program = await compile(model, { securityBits: 128, precisionBits: 12, valueBits: 6 });
    const planned = { of, ...sizes, ...planOf(program, threads), threads };
    return repeat === 0 ? planned : { ...planned, ...(await measureRuns(program, repeat, evaluator)) };
  } catch (error) {
    if (!(error instanceof HeError)) throw error;
    return { of, ...sizes, error: error.code };
  } finally {
    model.dispose();
  }
}

function planOf(program: Program, threads: number): Omit<GrowthRow, 'of' | keyof EncoderSizes> {
  const {
    polyModulusDegree: ringDegree,
    depth,
    keySwitches,
    refreshes,
    segments,
    evaluationKeyBytes: keyBytes,
    simdConstantBytes: constantBytes,
    predictedMs,
  } = profile(program, 0, defaultCosts('simd', threads));
  return { ringDegree, depth, keySwitches, refreshes, refreshRounds: segments - 1, keyBytes, constantBytes, predictedMs };
}

function lineOf({ of, ...row }: GrowthRow): string {
  const name = `${of} ${row[of]}`;
  if (row.keySwitches === undefined) return `${name.padEnd(14)} ${row.error}`;
  const seconds = (ms: number | undefined): string => (ms === undefined ? '' : `${(ms / 1000).toFixed(2)} s`);
  const measuredText = row.measuredMs === undefined ? (row.error ?? '') : `measured ${seconds(row.measuredMs)}`;
  return `${name.padEnd(14)} ring ${row.ringDegree}, depth ${row.depth}, ${row.keySwitches} key switches, ${row.refreshes} refreshes, predicted ${seconds(row.predictedMs)} ${measuredText}`;
}
