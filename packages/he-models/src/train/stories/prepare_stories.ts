import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { DataError } from '../../errors.js';
import { type LlamaCheckpoint, parseLlamaCheckpoint } from '../../llama/checkpoint.js';
import { sampleTexts } from '../../llama/sample.js';
import { BEGIN_TOKEN, type BytePairTokenizerJson, bytePairTokenizerJson, parseLlamaVocabulary } from '../../llama/tokenizer.js';
import type { Progress } from '../progress.js';
import type { StoryRecipe } from './story_recipe.js';

export interface StoryData {
  readonly checkpoint: LlamaCheckpoint;
  readonly tokenizer: BytePairTokenizerJson;
  /** Text for training: what the teacher wrote, then the sample of its own training text. */
  readonly train: Int32Array;
  /** Text that the teacher wrote under another seed. */
  readonly heldOut: Int32Array;
  /** SHA-256 of the checkpoint and the texts. */
  readonly digest: string;
}

const MODEL_FILES = ['stories260K.bin', 'tok512.bin'] as const;
const SAMPLE_FILE = 'tinystories-sample.txt';

/**
 * Reads the original and lets it write.
 *
 * @param directory holds `stories260k/` with the checkpoint and its tokenizer, and `text/` with the sample of TinyStories; or these files
 * @throws DataError for a file that is missing, AssetError for one that is no checkpoint or tokenizer
 */
export async function prepareStories(directory: string, recipe: StoryRecipe, progress: Progress): Promise<StoryData> {
  const read = (folder: string, file: string): Promise<Uint8Array> => readFirst([join(directory, folder, file), join(directory, file)]);
  const [model, vocabulary] = [await read('stories260k', MODEL_FILES[0]), await read('stories260k', MODEL_FILES[1])];
  const sample = new TextDecoder().decode(await read('text', SAMPLE_FILE));
  const checkpoint = parseLlamaCheckpoint(model, MODEL_FILES[0]);
  const tokenizer = bytePairTokenizerJson(parseLlamaVocabulary(vocabulary, checkpoint.config.vocabulary, MODEL_FILES[1]));
  const write = async (tokens: number, seed: number, note: string): Promise<number[]> => {
    const onText = (done: number): void => progress.update(Math.min(done, tokens), tokens, note);
    return (await sampleTexts(checkpoint, tokens, seed, onText, progress.signal)).flatMap((text) => [...text]);
  };
  const heldOut = Int32Array.from(await write(recipe.heldOutTokens, recipe.seed + 1, 'writing held-out text'));
  const sampled = await write(recipe.sampledTokens, recipe.seed, 'writing training text');
  const train = Int32Array.from([...sampled, BEGIN_TOKEN, ...new Tokenizer(tokenizer, {}).encode(sample).ids]);
  const hash = createHash('sha256')
    .update(model)
    .update(Int32Array.from([...train, ...heldOut]));
  return { checkpoint, tokenizer, train, heldOut, digest: hash.digest('hex') };
}

/** @throws DataError where none of the files is there */
async function readFirst(paths: readonly string[]): Promise<Uint8Array> {
  for (const path of paths) {
    const bytes = await readFile(path).catch((error: unknown) => {
      if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes !== undefined) return bytes;
  }
  throw new DataError(`No ${paths.join(' or ')}: see --help for what the data folder holds.`, { paths });
}
