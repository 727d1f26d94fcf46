import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { wordPieceTokenizerJson } from '../src/text/tokenizer_json.js';
import { type TrainedModel, writeArtefacts } from '../src/train/artefacts.js';
import { percent } from '../src/train/card.js';
import { buildClassifier } from '../src/train/classifier.js';
import { convertClassifier, serverLogits } from '../src/train/convert.js';
import { agreement, classifierLogits } from '../src/train/metrics.js';
import { train } from '../src/train/trainer.js';
import { startWasm } from '../src/train/wasm.js';
import { withFolder } from './temporary_folder.js';
import { TINY_LABELS, TINY_RECIPE, TINY_VOCABULARY, tinyQuestions } from './tiny_task.js';

const questions = tinyQuestions(48);

beforeAll(startWasm);

async function trained() {
  const classifier = buildClassifier(TINY_RECIPE, 'power', TINY_VOCABULARY, TINY_LABELS);
  await train(classifier, questions, TINY_RECIPE);
  return { classifier, polynomial: convertClassifier(classifier, questions, TINY_RECIPE, 'tiny') };
}

describe('conversion', () => {
  test('keeps the logits, through the client embedding', async () => {
    const { classifier, polynomial } = await trained();
    const { sameTop1, maxDifference } = agreement(
      classifierLogits(classifier, questions),
      serverLogits(polynomial.model, questions, classifier.embeddingWeights()),
    );
    expect(sameTop1).toBeGreaterThan(0.95);
    expect(maxDifference).toBeLessThan(0.2);
  });
});

/** A trained model with made-up figures. */
async function artefacts(): Promise<TrainedModel> {
  const { classifier, polynomial } = await trained();
  return {
    name: 'tiny',
    recipe: TINY_RECIPE,
    labels: ['a', 'b', 'c'],
    tokenizer: wordPieceTokenizerJson(['[PAD]', '[UNK]', 'c', 'd', 'e', 'f', 'g', 'h', 'i']),
    embedding: classifier.embeddingWeights(),
    polynomial,
    maxInput: 3,
    maxLogit: 4,
    devQuestions: 48,
    accuracy: { softmax: 0.5, powerSoftmax: 0.25, polynomial: 0.125 },
    intervals: [{ site: 'a', function: 'gelu', interval: [-1, 1], observed: [-2, 0], count: 10, outside: 3, inside: false }],
  };
}

describe('writeArtefacts', () => {
  test('writes files that match their digests, and a card with the figures of the configuration', async () => {
    const model = await artefacts();
    await withFolder(async (folder) => {
      const config = await writeArtefacts(folder, model);
      expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toEqual(config);
      for (const [name, { bytes, sha256 }] of Object.entries(config.files)) {
        const content = await readFile(join(folder, name));
        expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, sha256]);
      }
      expect((await readdir(folder)).sort()).toEqual([...Object.keys(config.files), 'README.md', 'config.json', 'encrypted.json'].sort());
      const card = await readFile(join(folder, 'README.md'), 'utf8');
      for (const share of [0.5, 0.25, 0.125]) expect(card).toContain(percent(share));
      expect(card).toContain('3 of 10 values are outside');
      const he = JSON.parse(await readFile(join(folder, 'he.json'), 'utf8'));
      expect(card).toContain(`${he.depth} levels`);
      expect(card).toContain('Predicted for a warm run');
    });
  });

  test.each([
    ['parameters are chosen', undefined],
    ['values are sized', [new Float32Array(32)]],
  ])('interrupted when %s, writes nothing and ends with the reason', async (_, samples) => {
    const model = { ...(await artefacts()), ...(samples === undefined ? {} : { samples }) };
    await withFolder(async (folder) => {
      await expect(writeArtefacts(folder, model, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
      expect(await readdir(folder)).toEqual([]);
    });
  });
});
