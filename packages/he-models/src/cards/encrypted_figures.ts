import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { DataError } from '../errors.js';
import type { PretrainedConfig } from '../pretrained/config.js';
import type { AgreementReport } from '../use/agreement.js';
import type { GenerationReport } from '../use/generation_agreement.js';
import type { PlanFigures } from '../use/plan_figures.js';
import type { ApproximationFigures } from './approximations_section.js';

/** File of a model's folder, beside its card; not a part of the model. */
export const FIGURES_FILE = 'encrypted.json';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
}

/** How a figure came about. */
export interface Measurement {
  /** The command that measures it. */
  readonly command: string;
  readonly machine: Machine;
}

/** A run of `he-models evaluate`: its report, and how it came about. */
export type MeasuredRun = (Omit<AgreementReport, 'layers'> | Omit<GenerationReport, 'layers'>) & Measurement;

/** Tokens of a language model with keys and values kept at the server, and by runs over the whole context. Milliseconds are medians of warm tokens. */
export interface CacheComparison extends Measurement {
  readonly cachedMs: number;
  readonly wholeMs: number;
  /** What a run over the whole context takes. */
  readonly whole: PlanFigures;
}

/** `encrypted.json`: all that the card says of encrypted runs. */
export interface EncryptedFigures {
  readonly format: 1;
  /** {@link weightsDigest} of the model. */
  readonly weights: string;
  /** As compiled by the version that wrote this. */
  readonly plan: PlanFigures;
  readonly simulate?: MeasuredRun;
  readonly execute?: MeasuredRun;
  readonly cache?: CacheComparison;
  readonly approximations?: ApproximationFigures;
}

/** What figures hold for: SHA-256 over the digests of a model's files but `he.json`. */
export function weightsDigest({ files }: Pick<PretrainedConfig, 'files'>): string {
  const digests = Object.entries(files).filter(([name]) => name !== 'he.json');
  return createHash('sha256')
    .update(JSON.stringify(digests.map(([name, { sha256 }]) => [name, sha256]).sort()))
    .digest('hex');
}

/** Figures of a file, or undefined where there is none or it is of other weights. @throws DataError where it holds something else */
export async function readFigures(file: string, weights: string): Promise<EncryptedFigures | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const figures = parse(text);
  if (figures === undefined) throw new DataError(`${file} holds no figures of he-models evaluate: remove it.`, { file });
  return figures.weights === weights ? figures : undefined;
}

/** The figures of a model with those of a run added, in place of older ones of the same `fhe`. */
export function withRun(
  figures: EncryptedFigures | undefined,
  weights: string,
  report: AgreementReport | GenerationReport,
  measurement: Measurement,
): EncryptedFigures {
  const { layers: _, ...measured } = report;
  return { ...figures, format: 1, weights, plan: planOf(report), [report.fhe]: { ...measured, ...measurement } };
}

/** The part of a report that is known before a run. */
export function planOf(report: PlanFigures): PlanFigures {
  const { tokens, depth, refreshes, refreshRounds, keySwitches, parameters, serverKeyBytes, constantBytes, predictedMs, layers } = report;
  return { tokens, depth, refreshes, refreshRounds, keySwitches, parameters, serverKeyBytes, constantBytes, predictedMs, layers };
}

export function figuresText(figures: EncryptedFigures): string {
  return `${JSON.stringify(figures, undefined, 1)}\n`;
}

export function thisMachine(): Machine {
  return { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism(), node: process.version };
}

function parse(text: string): EncryptedFigures | undefined {
  try {
    const { format, weights, plan } = JSON.parse(text);
    if (format === 1 && typeof weights === 'string' && Array.isArray(plan.layers)) return JSON.parse(text);
  } catch {
    // refused by the caller
  }
  return undefined;
}
