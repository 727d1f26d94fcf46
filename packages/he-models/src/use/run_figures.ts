import { profile } from 'tfjs-he-backend';
import type { Evaluator } from './evaluator.js';
import { type LayerTimes, layerMedians } from './layer_times.js';
import type { Inference, LocalPair } from './local_pair.js';
import { median } from './median.js';
import { type PlanFigures, planFigures } from './plan_figures.js';

/** What encrypted runs of a model take. */
export interface RunFigures extends Evaluator, PlanFigures {
  /** To load the server's half, compile it, make keys, hand them over and encode all constants. */
  readonly setupMs: number;
  /** First run. */
  readonly coldMs: number;
  /** Medians over the others (over the first where it is the only one). */
  readonly totalMs: number;
  readonly evaluateMs: number;
  readonly refreshMs: number;
  /** By layer, of the first run and medians over the others. */
  readonly coldLayersMs: LayerTimes;
  readonly layersMs: LayerTimes;
  /** Evaluation keys as sent. */
  readonly keyBytes: number;
  /** Ciphertexts of one run, both ways. */
  readonly uploadBytes: number;
  readonly downloadBytes: number;
}

/** The runs that count as warm: all but the first, unless it is the only one. */
function warmRuns(runs: readonly Inference[]): readonly Inference[] {
  return runs.length > 1 ? runs.slice(1) : runs;
}

/** @param runs at least one, in their order */
export function runFigures({ server, keyBytes }: LocalPair, runs: readonly Inference[], setupMs: number): RunFigures {
  const warm = warmRuns(runs);
  return {
    engine: server.engine,
    execution: server.execution,
    ...planFigures(profile(server.program), server.he.tokens),
    setupMs,
    coldMs: runs[0]?.totalMs ?? 0,
    totalMs: median(warm.map(({ totalMs }) => totalMs)),
    evaluateMs: median(warm.map(({ evaluateMs }) => evaluateMs)),
    refreshMs: median(warm.map(({ refreshMs }) => refreshMs)),
    coldLayersMs: layerMedians(runs.slice(0, 1)),
    layersMs: layerMedians(warm),
    keyBytes,
    uploadBytes: warm[0]?.uploadBytes ?? 0,
    downloadBytes: warm[0]?.downloadBytes ?? 0,
  };
}
