import { UsageError } from '../errors.js';
import type { EvaluatorOptions } from '../use/evaluator.js';
import type { Fhe } from '../use/pipeline.js';
import { choiceOption, integerOption, type OptionValues } from './arguments.js';

/** Options of commands that evaluate encrypted. */
export const EVALUATOR_OPTIONS = { engine: { type: 'string' }, threads: { type: 'string' } } as const;

export const EVALUATOR_HELP = `  --engine NAME      of --fhe execute: simd (default) or seal, which computes the same, slower (default where there is no WebAssembly SIMD)
  --threads N        of simd (default: 2, or 1 on a machine with one core)`;

/** More than has helped on any machine. */
const MOST_THREADS = 64;

/** @throws UsageError */
export function evaluatorOptions(values: OptionValues, fhe: Fhe): EvaluatorOptions {
  const engine = values.engine === undefined ? undefined : choiceOption('engine', values.engine, ['simd', 'seal']);
  if (engine !== undefined && fhe !== 'execute') throw new UsageError('--engine is for --fhe execute. See --help.', { engine });
  const threads = integerOption('threads', values.threads, 1);
  if (threads !== undefined && threads > MOST_THREADS) throw new UsageError(`--threads must be at most ${MOST_THREADS}.`, { threads });
  return { ...(engine === undefined ? {} : { engine }), ...(threads === undefined ? {} : { threads }) };
}

/** One line on who evaluated. */
export function shownEvaluator({
  engine,
  execution,
}: {
  readonly engine: string;
  readonly execution: { readonly kernels?: string; readonly threads: number };
}): string {
  const kernels = execution.kernels === undefined ? '' : `, ${execution.kernels} kernels`;
  return `engine ${engine}${kernels}, ${execution.threads} ${execution.threads === 1 ? 'thread' : 'threads'}`;
}
