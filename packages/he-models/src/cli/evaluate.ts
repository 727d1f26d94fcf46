import { resolve } from 'node:path';
import { developmentInputs } from '../data/development.js';
import { percent } from '../train/card.js';
import { measureAgreement } from '../use/agreement.js';
import { choiceOption, integerOption, onlyPositional, parseArguments, requiredOption } from './arguments.js';
import { COMMON_HELP, COMMON_OPTIONS, type Command } from './command.js';
import { modelArgument } from './model_argument.js';
import { showProgress } from './show_progress.js';

export const evaluate: Command = {
  help: `Usage: he-models evaluate MODEL --data PATH [options]

Runs labelled inputs encrypted and in the clear: top-1 agreement, mean squared difference and bits of the
logits, latency, traffic.

  --data PATH        folder of the data set of a model of this package, or the folder above it; or for any model a file of lines
                     {"input": text or numbers, "label": name}, ending in .jsonl (required)
  --fhe MODE         simulate (all inputs in minutes) or execute; default simulate
  --limit N          only the first N inputs (default: all in simulate, 20 in execute)
  --seed N           of the noise in simulate
${COMMON_HELP}`,
  run: async ({ args, cwd, print, progress, signal }) => {
    const { values, positionals } = parseArguments(args, {
      ...COMMON_OPTIONS,
      data: { type: 'string' },
      fhe: { type: 'string', default: 'simulate' },
      limit: { type: 'string' },
      seed: { type: 'string' },
    });
    const model = await modelArgument(cwd, onlyPositional(positionals, 'model'));
    const fhe = choiceOption('fhe', values.fhe, ['simulate', 'execute']);
    const limit = integerOption('limit', values.limit, 1) ?? (fhe === 'execute' ? 20 : undefined);
    const seed = integerOption('seed', values.seed, 0);
    const inputs = await developmentInputs(model, resolve(cwd, requiredOption('data', values.data, "the folder of the model's data set")));
    const report = await measureAgreement(model, inputs.slice(0, limit), {
      fhe,
      signal,
      progress_callback: showProgress(progress),
      onInput: (done, total) => progress.update(done, total, `${done} of ${total} inputs`),
      ...(seed === undefined ? {} : { seed }),
    });
    progress.clear();
    if (values.json === true) return print(JSON.stringify(report));
    const rows: readonly (readonly [string, string])[] = [
      ['inputs', `${report.inputs}, fhe: ${fhe}`],
      ['same top-1', `${percent(report.sameTop1)} as the clear polynomial`],
      ['accuracy', `${percent(report.accuracy)} encrypted, ${percent(report.clearAccuracy)} in the clear`],
      ['difference', `mean squared ${report.mse.toExponential(1)}, ${report.bits.toFixed(1)} bits (least ${report.leastBits.toFixed(1)})`],
      ['parameters', `ring degree ${report.parameters.polyModulusDegree}, ${report.parameters.coeffModulusBits.join(' + ')} bits`],
      ['refreshes', `${report.refreshes} ciphertexts in ${report.refreshRounds} rounds`],
      ['latency', `${seconds(report.coldMs)} cold, ${seconds(report.totalMs)} warm (${seconds(report.refreshMs)} at the client)`],
      ['traffic', `keys ${megabytes(report.keyBytes)}, up ${megabytes(report.uploadBytes)}, down ${megabytes(report.downloadBytes)}`],
    ];
    for (const [name, text] of rows) print(`${name.padEnd(12)} ${text}`);
  },
};

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
