import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readReviews } from '../../data/reviews.js';
import { sst2Split } from '../../data/sst2.js';
import { buildWordPieces } from '../../text/build_word_pieces.js';
import { type TokenizerJson, wordPieceTokenizerJson } from '../../text/tokenizer_json.js';
import { identityOf, readCheckpoint, writeCheckpoint } from '../checkpoint.js';
import { type PreparedData, prepareTexts } from '../prepare.js';
import type { Progress } from '../progress.js';
import type { Recipe } from '../recipe.js';
import { tokenCorpus, wordCounts } from './corpus.js';
import { pretrainEmbedding, type TokenCorpus } from './pretrain.js';

/**
 * Reads SST-2 and the film reviews, builds the vocabulary from both and trains the token vectors on both, continuing from the checkpoint
 * `embedding.json`. Nothing but the rows to report on comes from the development sentences.
 *
 * @throws DataError, CheckpointError
 */
export async function prepareSst2(
  directory: string,
  recipe: Recipe,
  pretraining: NonNullable<Recipe['pretraining']>,
  options: { readonly checkpoints: string; readonly fresh: boolean },
  progress: Progress,
): Promise<PreparedData & { readonly pretrained: Float32Array }> {
  const split = await sst2Split(directory);
  const reviews = await readReviews(directory);
  const vocabulary = buildWordPieces(wordCounts(reviews, split.train, pretraining.phraseWeight), pretraining);
  const tokenizer = wordPieceTokenizerJson(vocabulary);
  const corpus = tokenCorpus(tokenizer, reviews, split.train);
  progress.log(`${reviews.length} reviews, ${split.train.length} phrases, ${corpus.ids.length} tokens of ${vocabulary.length} kinds`);
  const pretrained = await pretrainedVectors(corpus, vocabulary.length, recipe, pretraining, options, progress);
  return { ...prepareTexts(split, tokenizer, recipe), pretrained };
}

/** The tokenised data alone, for the tokenizer of a model that is there. @throws DataError */
export async function prepareSst2With(directory: string, tokenizer: TokenizerJson, recipe: Recipe): Promise<PreparedData> {
  return prepareTexts(await sst2Split(directory), tokenizer, recipe);
}

async function pretrainedVectors(
  corpus: TokenCorpus,
  vocabulary: number,
  { seed, architecture }: Recipe,
  pretraining: NonNullable<Recipe['pretraining']>,
  { checkpoints, fresh }: { readonly checkpoints: string; readonly fresh: boolean },
  progress: Progress,
): Promise<Float32Array> {
  const { features } = architecture;
  const identity = identityOf({ ...pretraining, seed, features, conversion: undefined }, 'embedding', digestOf(corpus));
  const path = join(checkpoints, 'embedding.json');
  const from = fresh ? undefined : await readCheckpoint(path, identity);
  return pretrainEmbedding(
    corpus,
    vocabulary,
    features,
    seed,
    pretraining,
    async (state) => {
      await writeCheckpoint(path, identity, state);
      progress.log(`embedding: epoch ${state.epoch}/${pretraining.epochs}`);
    },
    from,
    progress.signal,
  );
}

function digestOf({ ids, starts, polarity }: TokenCorpus): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of [ids, starts, polarity]) hash.update(Buffer.from(buffer, byteOffset, byteLength));
  return hash.digest('hex');
}
