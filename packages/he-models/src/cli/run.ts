import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputError, UsageError } from '../errors.js';
import { openModel } from '../hub/model_files.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import { type ClassificationTask, takesArrays } from '../pretrained/config.js';
import type { ModelInput } from '../use/encoder.js';
import { type ClassificationPipeline, type GenerationPipeline, pipeline } from '../use/pipeline.js';
import { choiceOption, integerOption, parseArguments } from './arguments.js';
import { COMMON_HELP, COMMON_OPTIONS, type Command } from './command.js';
import { EVALUATOR_HELP, EVALUATOR_OPTIONS, evaluatorOptions } from './evaluator_options.js';
import { modelArgument } from './model_argument.js';
import { showProgress } from './show_progress.js';

export const run: Command = {
  help: `Usage: he-models run MODEL TEXT [options]
       he-models run MODEL --input FILE [options]

Classifies one input, or continues a text, by default encrypted, with client and server in this process.

  --input FILE       a JSON array of numbers, for models of signals and images
  --fhe MODE         execute (on ciphertexts), simulate (with their noise) or disable (in the clear); default execute
${EVALUATOR_HELP}
  --top-k N          labels to print (default 3)
  --max-new-tokens N tokens that a language model writes at most (default 20)
${COMMON_HELP}`,
  run: async ({ args, cwd, print, progress, signal }) => {
    const { values, positionals } = parseArguments(args, {
      ...COMMON_OPTIONS,
      ...EVALUATOR_OPTIONS,
      input: { type: 'string' },
      fhe: { type: 'string', default: 'execute' },
      'top-k': { type: 'string', default: '3' },
      'max-new-tokens': { type: 'string' },
    });
    const [name, ...words] = positionals;
    if (name === undefined) throw new UsageError('Name a model. See --help.', {});
    const model = await modelArgument(cwd, name);
    const fhe = choiceOption('fhe', values.fhe, ['execute', 'simulate', 'disable']);
    const evaluator = evaluatorOptions(values, fhe);
    const top_k = integerOption('top-k', values['top-k'], 1) ?? 1;
    const max_new_tokens = integerOption('max-new-tokens', values['max-new-tokens'], 1) ?? 20;
    const { config } = await openModel(model, CLIENT_BUNDLES, { signal });
    const file = typeof values.input === 'string' ? resolve(cwd, values.input) : undefined;
    const input = takesArrays(config) ? await readNumbers(file, config.name) : textOf(words, file);
    const load = { fhe, ...evaluator, signal, progress_callback: showProgress(progress) };
    const onProgress = (event: { readonly type: string; readonly done?: number; readonly total?: number; readonly name?: string }) => {
      if (event.type === 'layer' || event.type === 'progress') progress.update(event.done ?? 0, event.total ?? 1, event.name ?? '');
    };
    if (config.task === 'text-generation') {
      const generate = await pipeline('text-generation', model, load);
      try {
        const start = performance.now();
        const [generation] = await generate(String(input), { max_new_tokens, signal, onProgress });
        progress.clear();
        if (values.json === true) return print(JSON.stringify({ ...ranBy(generate), ...generation, ms: performance.now() - start }));
        return print(generation?.generated_text ?? '');
      } finally {
        generate.dispose();
      }
    }
    const classify = await pipeline<ClassificationTask>(config.task ?? 'text-classification', model, load);
    try {
      const start = performance.now();
      const labels = await classify(input as string & ArrayLike<number>, { top_k, signal, onProgress }); // of the kind the task takes
      progress.clear();
      if (values.json === true) return print(JSON.stringify({ ...ranBy(classify), labels, ms: performance.now() - start }));
      for (const { label, score } of labels) print(`${(100 * score).toFixed(1).padStart(5)}%  ${label}`);
    } finally {
      classify.dispose();
    }
  },
};

/** What ran, for `--json`; engine and threads unless in the clear. */
function ranBy({ model, fhe, engine, execution }: ClassificationPipeline<string> | GenerationPipeline) {
  return { model, fhe, engine, execution };
}

function textOf(words: readonly string[], file: string | undefined): string {
  if (file !== undefined) throw new UsageError('--input is for models of signals and images: write the text after the model.', {});
  if (words.length === 0) throw new UsageError('Write a text after the model, in quotes. See --help.', {});
  return words.join(' ');
}

async function readNumbers(file: string | undefined, model: string): Promise<ModelInput> {
  if (file === undefined) throw new UsageError(`${model} takes an array of numbers: name a JSON file with --input.`, {});
  const text = await readFile(file, 'utf8').catch(() => {
    throw new InputError(`Cannot read ${file}: check the path.`, { file });
  });
  const values = parse(text, file);
  const flat: unknown = Array.isArray(values) ? values.flat() : values;
  if (Array.isArray(flat) && flat.every((value) => typeof value === 'number')) return flat;
  throw new InputError(`${file} is no array of numbers: write one, e.g. [0.5, -1].`, { file });
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(`${file} is not JSON: write an array of numbers, e.g. [0.5, -1].`, { file });
  }
}
