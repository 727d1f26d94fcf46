import { resolve } from 'node:path';
import { readCard, updateCard } from '../cards/card_files.js';
import { type Measurement, planOf, thisMachine, withRun } from '../cards/encrypted_figures.js';
import { developmentInputs } from '../data/development.js';
import { UsageError } from '../errors.js';
import { openModel } from '../hub/model_files.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import { shellWord } from '../shell_word.js';
import { measureAgreement } from '../use/agreement.js';
import { measureGeneration } from '../use/generation_agreement.js';
import { choiceOption, integerOption, type OptionValues, onlyPositional, parseArguments, requiredOption } from './arguments.js';
import { COMMON_HELP, COMMON_OPTIONS, type Command } from './command.js';
import { printReport, seconds } from './evaluate_rows.js';
import { EVALUATOR_HELP, EVALUATOR_OPTIONS, evaluatorOptions } from './evaluator_options.js';
import { modelArgument } from './model_argument.js';
import { showProgress } from './show_progress.js';

export const evaluate: Command = {
  help: `Usage: he-models evaluate MODEL --data PATH [options]

Runs labelled inputs encrypted and in the clear: top-1 agreement, differences of the logits, latency, traffic.

  --data PATH        folder of the data set of a model of this package, or the folder above it; or for any model a file of lines
                     {"input": text or numbers, "label": name}, ending in .jsonl (required, unless there is --prompt)
  --fhe MODE         simulate (all inputs in minutes) or execute; default simulate
${EVALUATOR_HELP}
  --limit N          only the first N inputs (default: all in simulate, 20 in execute)
  --seed N           of the noise in simulate
  --card             write the figures into the folder MODEL: encrypted.json, and the part of the card on encrypted runs

Of a language model, whose texts (2 by default) are read token by token:
  --new-tokens N     tokens to continue a text by, compared with those in the clear (default 20)
  --prompt TEXT      the text (default: the beginning of the first of --data)
  --no-cache         run the whole context for every token; keys and values of past tokens are not kept at the server
  --compare-cache    measure both, and how many times longer a token takes without the cache
${COMMON_HELP}`,
  run: async ({ args, cwd, print, progress, signal }) => {
    const { values, positionals } = parseArguments(args, {
      ...COMMON_OPTIONS,
      ...EVALUATOR_OPTIONS,
      data: { type: 'string' },
      fhe: { type: 'string', default: 'simulate' },
      limit: { type: 'string' },
      seed: { type: 'string' },
      card: { type: 'boolean', default: false },
      'new-tokens': { type: 'string' },
      prompt: { type: 'string' },
      'no-cache': { type: 'boolean', default: false },
      'compare-cache': { type: 'boolean', default: false },
    });
    const model = await modelArgument(cwd, onlyPositional(positionals, 'model'));
    const fhe = choiceOption('fhe', values.fhe, ['simulate', 'execute']);
    const evaluator = evaluatorOptions(values, fhe);
    const limit = integerOption('limit', values.limit, 1);
    const seed = integerOption('seed', values.seed, 0);
    const newTokens = integerOption('new-tokens', values['new-tokens'], 0);
    const prompt = typeof values.prompt === 'string' ? values.prompt : undefined;
    const compares = values['compare-cache'] === true;
    if (compares && values['no-cache'] === true) throw new UsageError('--compare-cache measures both: leave out --no-cache.', {});
    if (values.card === true) await readCard(model); // before the work, not after
    if (values.card === true && values['no-cache'] === true)
      throw new UsageError('--card is for the model as it runs by default, not --no-cache.', {});
    const { config } = await openModel(model, CLIENT_BUNDLES, { signal });
    const generates = config.task === 'text-generation';
    if (!generates) refuseLanguageOptions(values);
    const inputs =
      prompt !== undefined && values.data === undefined
        ? []
        : await developmentInputs(config.name, resolve(cwd, requiredOption('data', values.data, "the folder of the model's data set")));
    const options = {
      fhe,
      ...evaluator,
      signal,
      progress_callback: showProgress(progress),
      onInput: (done: number, total: number) => progress.update(done, total, `${done} of ${total} ${generates ? 'tokens' : 'inputs'}`),
      ...(seed === undefined ? {} : { seed }),
    };
    const texts = inputs.slice(0, limit ?? 2).map(({ input }) => input);
    const generation = { ...options, ...(newTokens === undefined ? {} : { newTokens }), ...(prompt === undefined ? {} : { prompt }) };
    const report = generates
      ? await measureGeneration(model, texts, { ...generation, cache: values['no-cache'] !== true })
      : await measureAgreement(model, inputs.slice(0, limit ?? (fhe === 'execute' ? 20 : undefined)), options);
    const whole = generates && compares ? await measureGeneration(model, texts, { ...generation, cache: false }) : undefined;
    progress.clear();
    const measurement: Measurement = { command: commandOf(config.name, values), machine: thisMachine() };
    if (values.card === true) {
      const cache = whole && { cachedMs: report.totalMs, wholeMs: whole.totalMs, whole: planOf(whole), ...measurement };
      await updateCard(model, config, (figures, weights) =>
        cache === undefined || figures === undefined ? withRun(figures, weights, report, measurement) : { ...figures, cache },
      );
    }
    if (values.json === true)
      return print(JSON.stringify(whole === undefined ? report : { cached: report, whole, ratio: whole.totalMs / report.totalMs }));
    printReport(print, report);
    if (whole === undefined) return;
    printReport(print, whole);
    print(
      `${'cache'.padEnd(12)} a token takes ${(whole.totalMs / report.totalMs).toFixed(2)} times longer without: ${seconds(whole.totalMs)} for ${seconds(report.totalMs)}`,
    );
  },
};

/** @throws UsageError */
function refuseLanguageOptions(values: OptionValues): void {
  for (const name of ['new-tokens', 'prompt', 'no-cache', 'compare-cache']) {
    if (values[name] !== undefined && values[name] !== false) throw new UsageError(`--${name} is for language models. See --help.`, {});
  }
}

/** The command as anybody may give it, for a card. */
function commandOf(model: string, values: OptionValues): string {
  const options = Object.entries(values).flatMap(([name, value]) => {
    if (name === 'json' || name === 'card' || value === undefined || value === false) return [];
    if (value === true) return [`--${name}`];
    if (name === 'data') return [`--data ${value.endsWith('.jsonl') ? 'FILE.jsonl' : 'DIR'}`];
    return [`--${name} ${shellWord(value)}`];
  });
  return ['he-models evaluate', model, ...options].join(' ');
}
