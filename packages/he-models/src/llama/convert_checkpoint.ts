import { type ConvertedFolder, convertedFolder } from '../convert/converted_folder.js';
import { type ModelForm, powerOf } from '../convert/form.js';
import { fewerTokens, needsOf } from '../convert/report.js';
import { UsageError } from '../errors.js';
import { LLAMA_NORM_EPSILON, type LlamaCheckpoint, parseLlamaCheckpoint } from './checkpoint.js';
import { buildLlama, setLlamaWeights } from './llama_model.js';
import { bytePairTokenizerJson, parseLlamaVocabulary, piecesOf } from './tokenizer.js';

export interface ConvertedLlama extends ConvertedFolder {
  readonly checkpoint: LlamaCheckpoint;
}

export interface ConvertLlamaOptions {
  /** What the model is called. */
  readonly name: string;
  readonly form: ModelForm;
  /** Tokens of an input; default and largest: those of the checkpoint. */
  readonly tokens?: number | undefined;
}

/**
 * A llama2.c checkpoint and its tokenizer as a folder in this package's format. Its model runs in the clear until it has been trained further and turned
 * into a polynomial, which the report is about.
 *
 * @throws AssetError for files that are no checkpoint or tokenizer, UsageError for more tokens than the checkpoint's
 */
export async function convertLlama(
  checkpointBytes: Uint8Array,
  tokenizerBytes: Uint8Array,
  { name, form, tokens: asked }: ConvertLlamaOptions,
): Promise<ConvertedLlama> {
  const checkpoint = parseLlamaCheckpoint(checkpointBytes);
  const { config, embedding } = checkpoint;
  const tokenizer = bytePairTokenizerJson(parseLlamaVocabulary(tokenizerBytes, config.vocabulary));
  const tokens = asked ?? config.maxTokens;
  if (tokens > config.maxTokens) {
    throw new UsageError(`--tokens must be at most ${config.maxTokens}, those that the checkpoint was trained on, not ${tokens}.`, {
      tokens,
    });
  }
  const model = buildLlama({ config, tokens, ...settingsOf(form, config.layers) });
  setLlamaWeights(model, checkpoint);
  const folder = await convertedFolder({
    name,
    converted: { model, embedding: [embedding], changes: [] },
    tokenizer,
    report: {
      architecture: 'llama2.c',
      form: form.attention,
      tokens,
      sizes: config,
      changed: [...changesOf(form), ...fewerTokens(tokens, config.maxTokens)],
      needs: needsOf(form, 'llama2.c'),
    },
    task: { task: 'text-generation', labels: piecesOf(tokenizer, config.vocabulary), ...powerOf(form) },
  });
  return { checkpoint, ...folder };
}

function settingsOf(form: ModelForm, layers: number) {
  if (form.attention === 'softmax') return { attention: 'softmax' } as const;
  const { p, epsilon, normEpsilon } = form;
  return { attention: 'power', p, epsilon, normEpsilons: new Array<number>(layers + 1).fill(normEpsilon) } as const;
}

function changesOf(form: ModelForm): string[] {
  if (form.attention === 'softmax') return [];
  return [
    `PowerSoftmax with p = ${form.p} and epsilon = ${form.epsilon} in place of softmax: the model computes something else until trained`,
    `${form.normEpsilon} in place of ${LLAMA_NORM_EPSILON} is added to mean squares, so that 1/sqrt has an interval`,
  ];
}
