import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ModelUnavailableError } from '../errors.js';
import { onlyPositional, parseArguments } from './arguments.js';
import { COMMON_HELP, COMMON_OPTIONS, type Command } from './command.js';
import { convertHuggingFaceFolder } from './convert_folder.js';
import { convertLayersModel } from './convert_layers_model.js';
import { convertLlamaFile } from './convert_llama.js';

export const convert: Command = {
  help: `Usage: he-models convert DIR --out DIR [options]                        a model of Hugging Face
       he-models convert FILE.bin --tokenizer FILE --out DIR [options]  a llama2.c checkpoint
       he-models convert DIR --swap-softmax P --out DIR                 a LayersModel with softmax
       he-models convert DIR --calibration FILE --out DIR               a trained LayersModel

1. DIR holds config.json, model.safetensors (or shards with their index; F32, F16, BF16) and a tokenizer of BERT, RoBERTa or GPT-NeoX. DIR of --out
   becomes a folder of this package's format with PowerSoftmax in place of softmax, to be trained further, and the report says what it needs.
2. A llama2.c checkpoint of version 0 becomes the same.
3. DIR holds model.json and its weights, as tfjs' model.save writes a LayersModel. One with softmax attention gets its PowerSoftmax twin of power P
   (even), to be trained further.
4. A model trained with PowerSoftmax becomes a polynomial for tfjs-he-backend: its reciprocals, inverse square roots and activations become
   polynomials on the ranges that the calibration inputs reach.

  --out DIR          where the files go (required)
Of checkpoints:
  --keep-softmax     the model as it was trained, for comparison: it runs in the clear only
  --swap-softmax P   power of PowerSoftmax (default 4)
  --epsilon E        added to its denominators (default 0.1)
  --norm-epsilon E   added to variances in the blocks (default 0.1)
  --tokens N         tokens of an input (default: 128, or all that it has positions for; of llama2.c those it was trained on)
  --labels A,B,...   a new classifier of these classes, for BERT and RoBERTa
Of calibration:
  --calibration FILE texts, one a line, if it ends in .txt and DIR has a tokenizer: the result is then a folder that pipeline loads; otherwise inputs
                     as little-endian float32, [examples, ...input shape]. Some hundreds that cover what the model will see
  --margin M         factor by which the ranges are widened (default: 3 for reciprocals, whose inputs are powers of scores, 1.5 for others)
  --bits B           accuracy of every approximation (default 8)
  --value-bits B     log2 of the largest value at a refresh (default: what some of the texts need in simulation): raise it if a run says VALUE_OVERFLOW
Of llama2.c checkpoints:
  --tokenizer FILE   tokenizer.bin of the checkpoint
  --sample N         also writes sample.jsonl: texts of about N tokens in all that the model writes by itself
  --seed S           of these texts (default 1)
${COMMON_HELP}`,
  run: async (context) => {
    const { args, cwd } = context;
    const { values, positionals } = parseArguments(args, {
      ...COMMON_OPTIONS,
      calibration: { type: 'string' },
      'swap-softmax': { type: 'string' },
      'keep-softmax': { type: 'boolean' },
      epsilon: { type: 'string' },
      'norm-epsilon': { type: 'string' },
      labels: { type: 'string' },
      out: { type: 'string' },
      margin: { type: 'string' },
      bits: { type: 'string' },
      'value-bits': { type: 'string' },
      tokenizer: { type: 'string' },
      tokens: { type: 'string' },
      sample: { type: 'string' },
      seed: { type: 'string' },
    });
    const input = onlyPositional(positionals, "folder with a model of Hugging Face's or tfjs' format, or a llama2.c checkpoint");
    if (input.endsWith('.bin')) return convertLlamaFile(input, values, context);
    const folder = resolve(cwd, input);
    if (await isFile(join(folder, 'model.json'))) return convertLayersModel(folder, values, context);
    if (await isFile(join(folder, 'config.json'))) return convertHuggingFaceFolder(folder, values, context);
    throw new ModelUnavailableError(
      `${folder} has neither model.json of tfjs nor config.json of Hugging Face: name a folder with a model.`,
      {
        folder,
      },
    );
  },
};

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
