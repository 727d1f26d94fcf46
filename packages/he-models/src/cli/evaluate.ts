import { resolve } from 'node:path';
import { developmentInputs } from '../data/development.js';
import { openModel } from '../hub/model_files.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import { percent } from '../train/card.js';
import { type AgreementReport, measureAgreement } from '../use/agreement.js';
import { type GenerationReport, measureGeneration } from '../use/generation_agreement.js';
import { choiceOption, integerOption, onlyPositional, parseArguments, requiredOption } from './arguments.js';
import { COMMON_HELP, COMMON_OPTIONS, type Command } from './command.js';
import { EVALUATOR_HELP, EVALUATOR_OPTIONS, evaluatorOptions, shownEvaluator } from './evaluator_options.js';
import { modelArgument } from './model_argument.js';
import { showProgress } from './show_progress.js';

export const evaluate: Command = {
  help: `Usage: he-models evaluate MODEL --data PATH [options]

Runs labelled inputs encrypted and in the clear: top-1 agreement, mean squared difference and bits of the
logits, latency, traffic.

  --data PATH        folder of the data set of a model of this package, or the folder above it; or for any model a file of lines
                     {"input": text or numbers, "label": name}, ending in .jsonl (required)
  --fhe MODE         simulate (all inputs in minutes) or execute; default simulate
${EVALUATOR_HELP}
  --limit N          only the first N inputs (default: all in simulate, 20 in execute)
  --new-tokens N     of a language model: tokens to continue the first text's beginning by, as in the clear? (default 20; --limit is 2 texts by default)
  --seed N           of the noise in simulate
${COMMON_HELP}`,
  run: async ({ args, cwd, print, progress, signal }) => {
    const { values, positionals } = parseArguments(args, {
      ...COMMON_OPTIONS,
      ...EVALUATOR_OPTIONS,
      data: { type: 'string' },
      fhe: { type: 'string', default: 'simulate' },
      limit: { type: 'string' },
      seed: { type: 'string' },
      'new-tokens': { type: 'string' },
    });
    const model = await modelArgument(cwd, onlyPositional(positionals, 'model'));
    const fhe = choiceOption('fhe', values.fhe, ['simulate', 'execute']);
    const evaluator = evaluatorOptions(values, fhe);
    const limit = integerOption('limit', values.limit, 1) ?? (fhe === 'execute' ? 20 : undefined);
    const seed = integerOption('seed', values.seed, 0);
    const { config } = await openModel(model, CLIENT_BUNDLES, { signal });
    const inputs = await developmentInputs(model, resolve(cwd, requiredOption('data', values.data, "the folder of the model's data set")));
    const generates = config.task === 'text-generation';
    const options = {
      fhe,
      ...evaluator,
      signal,
      progress_callback: showProgress(progress),
      onInput: (done: number, total: number) => progress.update(done, total, `${done} of ${total} ${generates ? 'tokens' : 'inputs'}`),
      ...(seed === undefined ? {} : { seed }),
    };
    if (generates) {
      const newTokens = integerOption('new-tokens', values['new-tokens'], 0) ?? 20;
      const texts = inputs.slice(0, integerOption('limit', values.limit, 1) ?? 2).map(({ input }) => input);
      const report = await measureGeneration(model, texts, { ...options, newTokens });
      progress.clear();
      return values.json === true ? print(JSON.stringify(report)) : printRows(print, generationRows(report));
    }
    const report = await measureAgreement(model, inputs.slice(0, limit), options);
    progress.clear();
    if (values.json === true) return print(JSON.stringify(report));
    printRows(print, [
      ['inputs', `${report.inputs}, fhe: ${fhe}`],
      ['same top-1', `${percent(report.sameTop1)} as the clear polynomial`],
      ['accuracy', `${percent(report.accuracy)} encrypted, ${percent(report.clearAccuracy)} in the clear`],
      ...costRows(report),
    ]);
  },
};

type Rows = readonly (readonly [string, string])[];

function printRows(print: (line: string) => void, rows: Rows): void {
  for (const [name, text] of rows) print(`${name.padEnd(12)} ${text}`);
}

function generationRows(report: GenerationReport): Rows {
  return [
    ['tokens', `${report.read} read of ${report.texts} texts, fhe: ${report.fhe}`],
    ['same top-1', `${percent(report.sameTop1)} as the clear polynomial`],
    ['continuation', `${report.sameWritten} of ${report.written} tokens as in the clear`],
    ...costRows(report),
  ];
}

/** Of an input, or of a token of a language model. */
function costRows(report: AgreementReport | GenerationReport): Rows {
  return [
    ['difference', `mean squared ${report.mse.toExponential(1)}, ${report.bits.toFixed(1)} bits (least ${report.leastBits.toFixed(1)})`],
    ['parameters', `ring degree ${report.parameters.polyModulusDegree}, ${report.parameters.coeffModulusBits.join(' + ')} bits`],
    ['evaluator', shownEvaluator(report)],
    ['refreshes', `${report.refreshes} ciphertexts in ${report.refreshRounds} rounds`],
    ['latency', `${seconds(report.coldMs)} cold, ${seconds(report.totalMs)} warm (${seconds(report.refreshMs)} at the client)`],
    ['traffic', `keys ${megabytes(report.keyBytes)}, up ${megabytes(report.uploadBytes)}, down ${megabytes(report.downloadBytes)}`],
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
