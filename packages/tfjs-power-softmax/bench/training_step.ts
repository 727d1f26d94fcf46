import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { EncoderBlock } from 'tfjs-power-softmax';
import { type BlockShape, plainBlock } from './plain_block.ts';

const HELP = `npm run bench -w tfjs-power-softmax -- [--rounds N] [--json]

Times one training step (forward, backward, Adam) of a two-block encoder, d = 128, 64 tokens, batch 32, 4 heads, 512 hidden units, on the
WASM backend: this package's EncoderBlock and a plain one of stock ops (bench/plain_block.ts), each with PowerSoftmax and with softmax
attention. All four take turns; medians over the rounds.

  --rounds N   timed steps of each, default 7
  --json       print JSON instead of a table`;

const SHAPE = { blocks: 2, batch: 32, tokens: 64, features: 128, numHeads: 4, keyDim: 32, hiddenDim: 512, classes: 10 };
const ATTENTION = { p: 4, epsilon: 0.1, normEpsilon: 0.1 } as const;
const KINDS = ['power', 'softmax'] as const;

type Kind = (typeof KINDS)[number];
type Forward = (x: tf.Tensor3D) => tf.Tensor3D;

interface Variant {
  readonly name: string;
  /** One training step. @returns the loss before it */
  readonly step: () => number;
}

const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const rounds = Number(args.rounds);
if (args.help) {
  console.log(HELP);
} else if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds must be an integer >= 1, got ${args.rounds}`);
  process.exitCode = 1;
} else {
  await main(rounds, args.json);
}

async function main(rounds: number, json: boolean): Promise<void> {
  await startWasm();
  const variants = KINDS.flatMap(trainers);
  const times = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  const losses = variants.map(({ step }) => step());
  KINDS.forEach((kind, i) => {
    const [ours, plain] = [losses[2 * i] ?? Number.NaN, losses[2 * i + 1] ?? Number.NaN];
    if (!(Math.abs(ours - plain) < 1e-4)) throw new Error(`the two ${kind} models differ: losses ${ours} and ${plain}`);
  });
  for (let round = 1; round <= rounds; round++) {
    for (const { name, step } of variants) {
      const start = performance.now();
      step();
      times.get(name)?.push(performance.now() - start);
    }
    process.stderr.write(`round ${round} of ${rounds}\n`);
  }
  const medians = Object.fromEntries([...times].map(([name, durations]) => [name, median(durations)]));
  const ratio = (a: string, b: string): number => (medians[a] ?? Number.NaN) / (medians[b] ?? Number.NaN);
  const ratios = {
    'plain power / power': ratio('plain power', 'power'),
    'plain softmax / softmax': ratio('plain softmax', 'softmax'),
    'power / softmax': ratio('power', 'softmax'),
  };
  if (json) {
    const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
    const threads = await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT');
    console.log(
      JSON.stringify({ shape: SHAPE, rounds, node: process.version, simd, threads, medianMilliseconds: medians, ratios }, null, 2),
    );
    return;
  }
  for (const [name, time] of Object.entries(medians)) console.log(`${name.padEnd(24)}${time.toFixed(0).padStart(7)} ms`);
  for (const [name, value] of Object.entries(ratios)) console.log(`${name.padEnd(24)}${value.toFixed(2).padStart(7)}`);
}

/** The package's and the plain model with equal initial weights. */
function trainers(kind: Kind): [Variant, Variant] {
  const { features, numHeads, keyDim, hiddenDim, tokens, batch, classes } = SHAPE;
  const blocks = Array.from({ length: SHAPE.blocks }, (_, i) => {
    const block = new EncoderBlock({ numHeads, keyDim, hiddenDim, attention: kind, ...ATTENTION, seed: i + 1 });
    block.build([null, tokens, features]);
    return block;
  });
  const shape: BlockShape = { numHeads, keyDim, attention: kind, ...ATTENTION };
  const plainVariables = blocks.map((block) => new Map(weightNames(block).map((name) => [name, tf.variable(block.weight(name))])));
  const ours: Forward = (x) => blocks.reduce((hidden, block) => block.apply(hidden, { training: true }) as tf.Tensor3D, x);
  const plain: Forward = (x) => plainVariables.reduce((hidden, variables) => plainBlock(hidden, variables, shape), x);
  const x = tf.randomNormal<tf.Rank.R3>([batch, tokens, features], 0, 1, 'float32', 7);
  const labels = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: batch }, (_, i) => i % classes),
      'int32',
    ),
    classes,
  );
  return [trainer(kind, ours, x, labels), trainer(`plain ${kind}`, plain, x, labels)];
}

/** Weight names of a block, `attention/query/kernel` and so on, without the prefix that tfjs adds. */
function weightNames(block: EncoderBlock): string[] {
  return block.weights.map(({ originalName }) => originalName.replace(`${block.name}/`, ''));
}

/** Mean over the tokens, one dense layer, cross-entropy, Adam: the same for all. */
function trainer(name: string, forward: Forward, x: tf.Tensor3D, labels: tf.Tensor): Variant {
  const head = tf.variable(tf.randomNormal<tf.Rank.R2>([SHAPE.features, SHAPE.classes], 0, 0.1, 'float32', 9));
  const optimizer = tf.train.adam(1e-3);
  const loss = (): tf.Scalar => {
    const pooled = tf.mean<tf.Tensor2D>(forward(x), 1);
    // Reduced to one number, which the types of tfjs leave open.
    return tf.losses.softmaxCrossEntropy(labels, tf.matMul(pooled, head)) as tf.Scalar;
  };
  // Only this model's variables: tfjs would update, and so allocate for, those of all four.
  const used = tf.variableGrads(loss);
  const variables = Object.keys(used.grads).map((key) => tf.engine().registeredVariables[key]);
  tf.dispose([used.value, used.grads]);
  return {
    name,
    step: () => {
      const cost = optimizer.minimize(
        loss,
        true,
        variables.filter((variable) => variable !== undefined),
      );
      const value = cost?.dataSync()[0] ?? Number.NaN;
      cost?.dispose();
      return value;
    },
  };
}

async function startWasm(): Promise<void> {
  const packageFile = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  setWasmPaths(`${path.join(path.dirname(packageFile), 'wasm-out')}/`);
  tf.env().set('PROD', true);
  if (!(await tf.setBackend('wasm'))) throw new Error('the WASM backend did not start');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
