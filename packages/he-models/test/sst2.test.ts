import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { parseReviews, readReviews } from '../src/data/reviews.js';
import { parseSst2, sst2Split } from '../src/data/sst2.js';
import { DataError } from '../src/errors.js';
import { buildWordPieces } from '../src/text/build_word_pieces.js';
import { textTokenizer } from '../src/text/text_tokenizer.js';
import { wordPieceTokenizerJson } from '../src/text/tokenizer_json.js';
import type { TrainingState } from '../src/train/checkpoint.js';
import { tokenCorpus, wordCounts } from '../src/train/sst2/corpus.js';
import { type PretrainingRecipe, pretrainEmbedding } from '../src/train/sst2/pretrain.js';
import { withFolder } from './temporary_folder.js';

describe('parseSst2', () => {
  test('puts contractions and brackets back as people write them', () => {
    const [row] = parseSst2("label\tsentence\n1\tit does n't -lrb- ever -rrb- fail , it 's fun \n", 'train.tsv');
    expect(row).toEqual({ text: "it doesn't ( ever ) fail , it's fun", label: 'positive' });
  });

  test('takes either name of the second column and Windows line ends', () => {
    expect(parseSst2('label\tcontent\r\n0\tbad\r\n', 'dev.tsv')).toEqual([{ text: 'bad', label: 'negative' }]);
  });

  test.each([
    ['no header', '1\tgood\n'],
    ['no rows', 'label\tsentence\n'],
    ['another label', 'label\tsentence\n2\tgood\n'],
    ['no text', 'label\tsentence\n1\t \n'],
    ['a third column', 'label\tsentence\n1\tgood\tvery\n'],
  ])('refuses a file with %s', (_, tsv) => {
    expect(() => parseSst2(tsv, 'train.tsv')).toThrow(DataError);
  });

  test('names the line', () => {
    expect(() => parseSst2('label\tsentence\n1\tgood\nbad\n', 'train.tsv')).toThrow('Line 3 of train.tsv');
  });
});

describe('sst2Split', () => {
  test('trains on no row that contains a development sentence', async () => {
    await withFolder(async (folder) => {
      await mkdir(`${folder}/sst2`);
      await writeFile(`${folder}/sst2/train.tsv`, 'label\tsentence\n1\ta fine film indeed\n0\ta film\n1\tfine films\n');
      await writeFile(`${folder}/sst2/dev.tsv`, 'label\tcontent\n1\tfine film\n');
      const { train, dev } = await sst2Split(folder);
      expect([train.map(({ text }) => text), dev.map(({ text }) => text)]).toEqual([['a film', 'fine films'], ['fine film']]);
      expect(await sst2Split(`${folder}/sst2`)).toEqual({ train, dev });
    });
  });

  test('says which file is missing', async () => {
    await withFolder(async (folder) => {
      await expect(sst2Split(folder)).rejects.toThrow('No train.tsv of SST-2');
    });
  });
});

describe('readReviews', () => {
  test('reads labelled and unlabelled reviews of a folder beside the data', async () => {
    await withFolder(async (folder) => {
      await mkdir(`${folder}/text`);
      await mkdir(`${folder}/sst2`);
      await writeFile(`${folder}/text/imdb-train.jsonl.gz`, gzipSync('{"label":1,"text":"Great.<br /><br />Really."}\n'));
      await writeFile(`${folder}/text/imdb-unsup.jsonl.gz`, gzipSync('{"label":-1,"text":"Seen it"}\n'));
      expect(await readReviews(`${folder}/sst2`)).toEqual([{ text: 'Great.  Really.', positive: true }, { text: 'Seen it' }]);
    });
  });

  test.each(['{"label":1}', '{"label":7,"text":"a"}', 'nonsense'])('refuses the line %s', (line) => {
    expect(() => parseReviews(`{"label":0,"text":"a"}\n${line}\n`, 'reviews')).toThrow('Line 2 of reviews');
  });
});

describe('buildWordPieces', () => {
  const counts = new Map(Object.entries({ film: 9, films: 4, filming: 2, fun: 8, funny: 3, zz: 1, '!': 5 }));
  const vocabulary = buildWordPieces(counts, { words: 2, endings: 1, minCharacterCount: 3 });

  test('holds the frequent words, characters, and the most frequent ending', () => {
    expect(vocabulary.slice(0, 2)).toEqual(['[PAD]', '[UNK]']);
    expect(vocabulary.slice(-2)).toEqual(['film', 'fun']);
    expect(vocabulary).toContain('##ny');
    expect(vocabulary).toContain('!');
    expect(vocabulary).not.toContain('z');
  });

  test('spells what is no word of it after its longest beginning', () => {
    const tokenize = textTokenizer(wordPieceTokenizerJson(vocabulary), 20);
    expect(tokenize('Funny films!').tokens).toEqual(['fun', '##ny', 'film', '##s', '!']);
  });
});

describe('tokenCorpus', () => {
  test('lists the tokens of each text with its verdict', () => {
    const reviews = [{ text: 'good film' }, { text: 'Bad!', positive: false }];
    const phrases = [{ text: 'good', label: 'positive' }];
    const vocabulary = buildWordPieces(wordCounts(reviews, phrases, 5), { words: 10, endings: 0, minCharacterCount: 1 });
    const { ids, starts, polarity } = tokenCorpus(wordPieceTokenizerJson(vocabulary), reviews, phrases);
    expect(Array.from(ids, (id) => vocabulary[id])).toEqual(['good', 'film', 'bad', '!', 'good']);
    expect([...starts]).toEqual([0, 2, 4, 5]);
    expect([...polarity]).toEqual([-1, 0, 1]);
  });
});

describe('pretrainEmbedding', () => {
  // Tokens 2 and 3 stand between 4 and 5, tokens 6 and 7 between 8 and 9; 2 and 6 are praise, 3 and 7 blame.
  const rows = Array.from({ length: 400 }, (_, i) => (i % 4 < 2 ? [4, 2 + (i % 2), 5] : [8, 6 + (i % 2), 9]));
  const corpus = {
    ids: Int32Array.from(rows.flat()),
    starts: Int32Array.from({ length: rows.length + 1 }, (_, i) => 3 * i),
    polarity: Int8Array.from(rows, (_, i) => (i % 2 === 0 ? 1 : 0)),
  };
  const recipe: PretrainingRecipe = { epochs: 30, window: 2, negatives: 3, learningRate: 0.1, subsample: 1, polarityWeight: 1 };
  const run = async (settings: PretrainingRecipe, from?: TrainingState) => {
    const states: TrainingState[] = [];
    const vectors = await pretrainEmbedding(corpus, 10, 8, 1, settings, async (state) => void states.push(structuredClone(state)), from);
    return { states, vectors };
  };
  const cosine = (vectors: Float32Array, a: number, b: number): number => {
    const [x, y] = [vectors.subarray(8 * a, 8 * a + 8), vectors.subarray(8 * b, 8 * b + 8)];
    const dot = (u: Float32Array, v: Float32Array): number => u.reduce((sum, value, k) => sum + value * (v[k] ?? 0), 0);
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  };

  test('puts tokens of like neighbours together', async () => {
    const { vectors } = await run({ ...recipe, polarityWeight: 0 });
    expect(cosine(vectors, 2, 3)).toBeGreaterThan(cosine(vectors, 2, 6) + 0.3);
  });

  test('verdicts part tokens of like neighbours', async () => {
    const [without, with_] = [await run({ ...recipe, polarityWeight: 0 }), await run(recipe)];
    expect(cosine(with_.vectors, 2, 3)).toBeLessThan(cosine(without.vectors, 2, 3) - 0.3);
  });

  test('ends with the reason of a signal between two texts', async () => {
    const interrupt = new AbortController();
    const onEpoch = async (): Promise<void> => interrupt.abort(new Error('enough'));
    await expect(pretrainEmbedding(corpus, 10, 8, 1, recipe, onEpoch, undefined, interrupt.signal)).rejects.toThrow('enough');
  });

  test('continued from an epoch, it ends with the same vectors', async () => {
    const whole = await run({ ...recipe, epochs: 3 });
    const resumed = await run({ ...recipe, epochs: 3 }, whole.states[0]);
    expect(resumed.states).toHaveLength(2);
    expect(resumed.vectors).toEqual(whole.vectors);
  });
});
