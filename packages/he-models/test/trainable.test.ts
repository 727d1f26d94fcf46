import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { withRangeLoss } from 'tfjs-power-softmax';
import { convertFolder, openTrainable } from '../src/convert.js';
import { startWasm } from '../src/train/wasm.js';
import { loadClearModel } from '../src/use/clear_model.js';
import { writeTogether } from '../src/write_together.js';
import { printedBy, readmeExample } from './readme_example.js';
import { withFolder } from './temporary_folder.js';
import { tinyBert, writeCheckpoint } from './tiny_checkpoints.js';

beforeAll(startWasm);

const TEXTS = ['the cat sat', 'a cat', 'cats sat', 'the cat', 'on the mat', 'a mat', 'on a mat .', 'the mat on'];
const LABELS = TEXTS.map((text) => (text.includes('cat') ? 0 : 1));

const withConverted = (body: (folder: string) => Promise<void>) =>
  withFolder(async (root) => {
    await writeCheckpoint(join(root, 'checkpoint'), tinyBert('bert', { architectures: ['BertModel'] }));
    const form = { attention: 'power', p: 2, epsilon: 0.3, normEpsilon: 0.3 } as const;
    const { files } = await convertFolder(join(root, 'checkpoint'), { name: 'cats', form, tokens: 6, labels: ['cat', 'mat'] });
    await writeTogether(join(root, 'model'), files);
    await body(join(root, 'model'));
  });

describe('a converted checkpoint', () => {
  test('is trained with the range loss, saved, and loaded with the weights it has learnt', () =>
    withConverted(async (folder) => {
      const { model, embed, inputShape, config, save } = await openTrainable(folder);
      const x = tf.tensor3d(
        TEXTS.flatMap((text) => [...embed(text)]),
        [TEXTS.length, ...inputShape],
      );
      const y = tf.oneHot(tf.tensor1d(LABELS, 'int32'), config.labels.length);
      const schedule = () => ({ weight: 0.1, targets: { rsqrt: { upper: 2 } } });
      model.compile({
        optimizer: withRangeLoss(tf.train.adam(0.02), schedule),
        loss: (of: tf.Tensor, logits: tf.Tensor) => tf.losses.softmaxCrossEntropy(of, logits),
      });
      const { history } = await model.fit(x, y, { epochs: 12, batchSize: 8, shuffle: false, verbose: 0 });
      expect(Number(history.loss?.at(-1))).toBeLessThan(0.5 * Number(history.loss?.[0]));
      await save();
      const { logits, dispose } = await loadClearModel(folder);
      const expected = (model.predict(x) as tf.Tensor).dataSync();
      expect(TEXTS.flatMap((text) => [...logits(embed(text))])).toEqual([...expected]);
      dispose();
    }));

  test(
    'is trained by the code in the README',
    () =>
      withConverted(async (folder) => {
        const weights = await readFile(join(folder, 'weights.bin'));
        const code = await readmeExample('await openTrainable(');
        await printedBy(code.replace("'mine'", JSON.stringify(folder)));
        expect(Buffer.compare(await readFile(join(folder, 'weights.bin')), weights)).not.toBe(0);
        (await loadClearModel(folder)).dispose();
      }),
    30_000,
  );

  test('is saved twice', () =>
    withConverted(async (folder) => {
      const { model, save } = await openTrainable(folder);
      await save();
      model.setWeights(model.getWeights().map((weight) => tf.mul(weight, 2)));
      await save();
      await expect(loadClearModel(folder)).resolves.toBeDefined();
    }));

  test('is not saved over another model', () =>
    withConverted(async (folder) => {
      const { save } = await openTrainable(folder);
      const config = await readFile(join(folder, 'config.json'), 'utf8');
      await writeFile(join(folder, 'config.json'), config.replace('"cats"', '"dogs"'));
      await expect(save()).rejects.toThrow('dogs');
    }));
});
