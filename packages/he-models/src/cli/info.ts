import { type ModelFiles, openModel } from '../hub/model_files.js';
import { readHe } from '../pretrained/parse_he.js';
import { SERVER_BUNDLES } from '../pretrained/server_bundles.js';
import { onlyPositional, parseArguments } from './arguments.js';
import { COMMON_HELP, COMMON_OPTIONS, type Command } from './command.js';
import { modelArgument } from './model_argument.js';
import { showProgress } from './show_progress.js';

export const info: Command = {
  help: `Usage: he-models info MODEL [--json]

MODEL is a model of this package, a folder, a URL or owner/name.

${COMMON_HELP}`,
  run: async ({ args, cwd, print, progress, signal }) => {
    const { values, positionals } = parseArguments(args, COMMON_OPTIONS);
    const model = await modelArgument(cwd, onlyPositional(positionals, 'model'));
    const files = await openModel(model, SERVER_BUNDLES, { progress_callback: showProgress(progress), signal });
    const he = await readHe(files);
    if (values.json === true) return print(JSON.stringify({ ...summary(files), he }));
    for (const [name, value] of Object.entries(summary(files))) print(`${name.padEnd(16)} ${shown(value)}`);
    print(`${'input'.padEnd(16)} [${he.inputShape.join(', ')}]`);
    if (he.depth !== undefined) print(`${'depth'.padEnd(16)} ${he.depth} levels`);
    for (const need of he.needs ?? []) print(`${'needs'.padEnd(16)} ${need}`);
    for (const { site, function: name, interval, degree, maxError } of he.approximations) {
      const ends = interval.map((end) => end.toFixed(3)).join(', ');
      print(`${'approximation'.padEnd(16)} ${site}: ${name} on [${ends}], degree ${degree}, error ${maxError.toExponential(1)}`);
    }
  },
};

function summary({ config }: ModelFiles): Readonly<Record<string, unknown>> {
  const bytes = Object.values(config.files).reduce((sum, file) => sum + file.bytes, 0);
  return {
    name: config.name,
    task: config.task ?? 'text-classification',
    labels: config.labels,
    bytes,
    ...('accuracy' in config ? { accuracy: config.accuracy } : {}),
  };
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `${value.length}: ${value.slice(0, 8).join(', ')}${value.length > 8 ? ', ...' : ''}`;
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, share]) => `${name} ${typeof share === 'number' ? `${(100 * share).toFixed(2)}%` : String(share)}`)
      .join(', ');
  }
  return String(value);
}
