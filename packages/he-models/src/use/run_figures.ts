import { type Profile, profile } from 'tfjs-he-backend';
import type { Evaluator } from './evaluator.js';
import type { Inference, LocalPair } from './local_pair.js';
import { median } from './median.js';

/** What encrypted runs of a model take. */
export interface RunFigures extends Evaluator {
  readonly tokens: number;
  readonly depth: number;
  /** Ciphertexts refreshed in a run, in rounds. */
  readonly refreshes: number;
  readonly refreshRounds: number;
  readonly parameters: Pick<Profile, 'polyModulusDegree' | 'coeffModulusBits' | 'totalBits' | 'securityBits'>;
  /** First run. */
  readonly coldMs: number;
  /** Medians over the others (over the first where it is the only one). */
  readonly totalMs: number;
  readonly evaluateMs: number;
  readonly refreshMs: number;
  /** Evaluation keys as sent. */
  readonly keyBytes: number;
  /** Ciphertexts of one run, both ways. */
  readonly uploadBytes: number;
  readonly downloadBytes: number;
}

/** The runs that count as warm: all but the first, unless it is the only one. */
export function warmRuns(runs: readonly Inference[]): readonly Inference[] {
  return runs.length > 1 ? runs.slice(1) : runs;
}

/** @param runs at least one, in their order */
export function runFigures({ client, server, keyBytes }: LocalPair, runs: readonly Inference[]): RunFigures {
  const { polyModulusDegree, coeffModulusBits, totalBits, securityBits, depth, refreshes, segments } = profile(server.program);
  const warm = warmRuns(runs);
  return {
    engine: server.engine,
    execution: server.execution,
    tokens: client.inputShape[1],
    depth,
    refreshes,
    refreshRounds: segments - 1,
    parameters: { polyModulusDegree, coeffModulusBits, totalBits, securityBits },
    coldMs: runs[0]?.totalMs ?? 0,
    totalMs: median(warm.map(({ totalMs }) => totalMs)),
    evaluateMs: median(warm.map(({ evaluateMs }) => evaluateMs)),
    refreshMs: median(warm.map(({ refreshMs }) => refreshMs)),
    keyBytes,
    uploadBytes: warm[0]?.uploadBytes ?? 0,
    downloadBytes: warm[0]?.downloadBytes ?? 0,
  };
}
