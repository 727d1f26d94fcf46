import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const HELP = `npm run reproduce -w tfjs-power-softmax -- --data DIR [options]

Trains small language models with softmax, sigma and PowerSoftmax attention and writes tables and plots of what the paper claims
(arXiv 2410.09457) under docs/results. Stop it with Ctrl-C and start it again: runs that are done are not done again. They are known by their
settings, not by the code that did them: after a change of the package give another --work.

  --data DIR       folder that holds text/tinyshakespeare.txt
  --quick          a few minutes: few steps, one seed; writes to docs/results/quick
  --seeds N        seeds of every run, default 3 (quick: 1)
  --jobs N         processes at once, default the number of cores, at most 2
  --work DIR       folder for finished runs, default node_modules/.cache/tfjs-power-softmax-reproduce in the repository
  --out DIR        folder for tables and plots, default docs/results in the repository
  --report-only    run nothing: write tables and plots of the finished runs or, without --data, of results.json in the output folder
  --json           print the tables as JSON on stdout
  --help           this text`;

/** What the command is asked to do. */
export interface Options {
  readonly data: string | undefined;
  readonly quick: boolean;
  readonly seeds: number;
  readonly jobs: number;
  readonly work: string;
  readonly out: string;
  readonly reportOnly: boolean;
  readonly json: boolean;
}

/** A command line that cannot be carried out; its message says why. */
export class UsageError extends Error {}

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const MOST_JOBS = 2;

/**
 * @param folder that paths are relative to
 * @returns undefined where help was asked for
 * @throws UsageError
 */
export function parseOptions(argv: readonly string[], folder: string): Options | undefined {
  const values = parsed(argv);
  if (values.help === true) return undefined;
  const { quick = false, 'report-only': reportOnly = false, json = false } = values;
  if (values.data === undefined && !reportOnly) throw new UsageError('--data is needed: the folder that holds text/tinyshakespeare.txt');
  const results = path.join(REPOSITORY, 'docs', 'results');
  return {
    data: values.data === undefined ? undefined : path.resolve(folder, values.data),
    quick,
    seeds: positive('--seeds', values.seeds, quick ? 1 : 3),
    jobs: Math.min(MOST_JOBS, positive('--jobs', values.jobs, availableParallelism())),
    work: path.resolve(folder, values.work ?? path.join(REPOSITORY, 'node_modules', '.cache', 'tfjs-power-softmax-reproduce')),
    out: path.resolve(folder, values.out ?? (quick ? path.join(results, 'quick') : results)),
    reportOnly,
    json,
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        data: { type: 'string' },
        quick: { type: 'boolean' },
        seeds: { type: 'string' },
        jobs: { type: 'string' },
        work: { type: 'string' },
        out: { type: 'string' },
        'report-only': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new UsageError(`${name} must be an integer >= 1, got ${text}`);
}
