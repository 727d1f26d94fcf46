import { join } from 'node:path';
import { AssetError, ModelUnavailableError, UsageError } from '../errors.js';
import { type Architecture, parseArchitecture } from './architecture.js';
import { convertBert } from './bert.js';
import type { ConvertedCheckpoint } from './converted.js';
import { type ConvertedFolder, convertedFolder } from './converted_folder.js';
import { type ModelForm, powerOf } from './form.js';
import { convertNeox } from './gpt_neox.js';
import { changesOf, needsOf } from './report.js';
import { readTokenizer } from './tokenizer_files.js';
import { type CheckpointWeights, readIfPresent, readWeights } from './weights.js';

export interface ConvertFolderOptions {
  /** What the model is called. */
  readonly name: string;
  readonly form: ModelForm;
  /** Tokens of an input; default: 128, or what the checkpoint has positions for if that is less. */
  readonly tokens?: number | undefined;
  /** Classes of a new classifier, for BERT and RoBERTa. */
  readonly labels?: readonly string[] | undefined;
}

const DEFAULT_TOKENS = 128;
/** A token between those that frame a text. */
const LEAST_TOKENS = 3;

/**
 * A Hugging Face folder (`config.json`, `model.safetensors` or shards with their index, a tokenizer) of BERT, RoBERTa or GPT-NeoX as a folder in this
 * package's format. Its model runs in the clear until it has been trained further and turned into a polynomial, which the report is about.
 *
 * @throws UnknownModelError for another architecture, ModelUnavailableError for a file that is missing, AssetError for one that is not sound,
 * UsageError for labels or tokens that do not fit the architecture
 */
export async function convertFolder(folder: string, options: ConvertFolderOptions): Promise<ConvertedFolder> {
  const { name: architectureName, architecture } = await readArchitecture(folder);
  const tokens = tokensOf(architecture, options.tokens);
  const labels = newLabelsOf(architectureName, architecture, options.labels);
  const tokenizer = await readTokenizer(folder, architecture);
  const converted = convertWeights(architecture, await readWeights(folder), tokens, options.form, labels);
  return convertedFolder({
    name: options.name,
    converted,
    tokenizer: tokenizer.definition,
    report: {
      architecture: architectureName,
      form: options.form.attention,
      tokens,
      sizes: architecture,
      changed: changesOf(architecture, tokens, options.form, converted),
      needs: needsOf(options.form, architecture.family),
    },
    task:
      architecture.family === 'gpt_neox'
        ? {
            task: 'text-generation',
            labels: tokenizer.pieces,
            special: { begin: null, end: architecture.endToken ?? null },
            ...powerOf(options.form),
          }
        : { task: 'text-classification', labels: labels ?? architecture.labels ?? [] },
  });
}

async function readArchitecture(folder: string): ReturnType<typeof parsed> {
  const bytes = await readIfPresent(join(folder, 'config.json'));
  if (bytes === undefined) {
    throw new ModelUnavailableError(`Cannot read ${join(folder, 'config.json')}: name a folder with a model of Hugging Face or tfjs.`, {
      folder,
    });
  }
  return parsed(bytes);
}

async function parsed(bytes: Uint8Array): Promise<ReturnType<typeof parseArchitecture>> {
  let config: unknown;
  try {
    config = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new AssetError('config.json of the checkpoint is no JSON: get it again.', { file: 'config.json' });
  }
  return parseArchitecture(config);
}

function convertWeights(
  architecture: Architecture,
  weights: CheckpointWeights,
  tokens: number,
  form: ModelForm,
  newLabels: readonly string[] | undefined,
): ConvertedCheckpoint {
  return architecture.family === 'gpt_neox'
    ? convertNeox({ architecture, weights, tokens, form })
    : convertBert({ architecture, weights, tokens, form, newLabels });
}

function tokensOf({ maxTokens }: Architecture, tokens: number | undefined): number {
  const chosen = tokens ?? Math.min(DEFAULT_TOKENS, maxTokens);
  if (chosen >= LEAST_TOKENS && chosen <= maxTokens) return chosen;
  throw new UsageError(`--tokens must be from ${LEAST_TOKENS} to ${maxTokens}, the positions of the checkpoint, not ${chosen}.`, {
    maxTokens,
  });
}

/** Labels of a new classifier, undefined for the checkpoint's own. */
function newLabelsOf(name: string, architecture: Architecture, labels: readonly string[] | undefined): readonly string[] | undefined {
  if (architecture.family === 'gpt_neox') {
    if (labels === undefined) return undefined;
    throw new UsageError(`--labels is for BERT and RoBERTa: ${name} continues texts.`, {});
  }
  if (labels === undefined && architecture.labels === undefined) {
    throw new UsageError(`${name} has no classifier: name the classes of a new one with --labels, as in --labels good,bad.`, { name });
  }
  return labels;
}
