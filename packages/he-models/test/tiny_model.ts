import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { TextConfig } from '../src/pretrained/config.js';
import { wordPieceTokenizerJson } from '../src/text/tokenizer_json.js';
import { digestsOf, jsonBytes, littleEndian, serialiseModel, writeModelFolder } from '../src/train/model_folder.js';

const WORDS = ['[PAD]', '[UNK]', 'red', 'green', 'blue', 'it', 'is', 'so', 'very'];
const [TOKENS, FEATURES, COLOURS] = [6, 4, 3];

/**
 * Writes a made-up model in the documented format: it names the colour of a text by counting. Small enough to run encrypted in a fraction of
 * a second, with a product of ciphertexts.
 */
export async function writeTinyModel(folder: string): Promise<void> {
  const input = tfl.input({ shape: [TOKENS, FEATURES], name: 'tokens' });
  const count = tfl.layers.dense({ units: COLOURS, name: 'count' });
  const counted = count.apply(tfl.layers.flatten({ name: 'flatten' }).apply(input)) as tfl.SymbolicTensor;
  const squared = tfl.layers.multiply({ name: 'square' }).apply([counted, counted]) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: squared, name: 'tiny' });
  const kernel = tf.tensor2d(Array.from({ length: TOKENS * FEATURES }, (_, i) => [0, 1, 2].map((c) => (i % FEATURES === c ? 0.5 : 0))));
  count.setWeights([kernel, tf.tensor1d([2, 2, 2])]);
  const { modelJson, weights } = await serialiseModel(model);
  model.dispose();

  // One feature per colour, one for everything else; padding and [UNK] have rows too, but are not looked at here.
  const token = Float32Array.from({ length: WORDS.length * FEATURES }, (_, i) =>
    i % FEATURES === Math.min(Math.max(0, Math.floor(i / FEATURES) - 2), FEATURES - 1) ? 1 : 0,
  );
  const ones = new Float32Array(FEATURES).fill(1);
  const contents = {
    'tokenizer.json': jsonBytes(wordPieceTokenizerJson(WORDS)),
    'embedding.bin': littleEndian([token, new Float32Array(TOKENS * FEATURES), ones, new Float32Array(FEATURES)]),
    'he.json': jsonBytes({
      inputShape: [1, TOKENS, FEATURES],
      outputShape: [1, COLOURS],
      maxInput: 2,
      maxLogit: 40,
      approximations: [],
      tokens: TOKENS,
      depth: 2,
      parameters: { securityBits: 128, precisionBits: 12, valueBits: 6 },
    }),
    'model.json': jsonBytes(modelJson),
    'weights.bin': weights,
  };
  const config: TextConfig = {
    name: 'tiny',
    format: 1,
    task: 'text-classification',
    labels: ['RED', 'GREEN', 'BLUE'],
    embedding: { vocabularySize: WORDS.length, features: FEATURES, maxTokens: TOKENS },
    files: digestsOf(contents),
  };
  await writeModelFolder(folder, config, contents, '# tiny\n');
}
