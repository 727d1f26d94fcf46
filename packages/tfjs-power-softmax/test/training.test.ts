import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  collectRanges,
  InvalidArgumentError,
  isRecordingRanges,
  RangeMonitor,
  type RangeSchedule,
  rangeLoss,
  type SiteInterval,
  tightenRanges,
  withRangeLoss,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { classifier, paddedExamples } from './support/models.js';
import { largestDifference, valuesOf } from './support/reference.js';

beforeAll(() => useBackend('cpu'));

const TARGETS = { reciprocal: { upper: 0.51 }, rsqrt: { upper: 0.5 }, gelu: { lower: -0.2, upper: 0.2 } };

function data(count = 6) {
  const { x } = paddedExamples(count, 4);
  const labels = Array.from({ length: count }, (_, i) => i % 3);
  return { x, y: tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), 3), 'float32') };
}

const crossEntropy = (labels: tf.Tensor, logits: tf.Tensor) => tf.losses.softmaxCrossEntropy(labels, logits) as tf.Scalar;

function weightsOf(model: tfl.LayersModel): number[] {
  return model.getWeights().flatMap((weight) => Array.from(weight.dataSync()));
}

/** Weights after one step of gradient descent on loss + weight * range loss, written out. */
function afterOneStep(weight: number): number[] {
  const [model, { x, y }] = [classifier(), data()];
  tf.train.sgd(0.1).minimize(() => {
    const { result, sites } = collectRanges(() => model.apply(x, { training: true }) as tf.Tensor);
    return tf.add(crossEntropy(y, result), tf.mul(rangeLoss(sites, { targets: TARGETS }), weight));
  });
  return weightsOf(model);
}

describe('withRangeLoss', () => {
  test('model.fit takes the step of the sum of both losses', async () => {
    const [model, { x, y }] = [classifier(), data()];
    model.compile({ optimizer: withRangeLoss(tf.train.sgd(0.1), { targets: TARGETS, weight: 0.7 }), loss: crossEntropy });
    await model.fit(x, y, { batchSize: 6, epochs: 1, shuffle: false, verbose: 0 });
    expect(largestDifference(weightsOf(model), afterOneStep(0.7))).toBeLessThan(1e-6);
    expect(largestDifference(afterOneStep(0.7), afterOneStep(0))).toBeGreaterThan(1e-4);
  });

  test('minimize in a loop of its own takes the same step and returns the sum', () => {
    const [model, { x, y }] = [classifier(), data()];
    const { result, sites } = collectRanges(() => model.apply(x) as tf.Tensor);
    const [sum] = valuesOf(tf.add(crossEntropy(y, result), tf.mul(rangeLoss(sites, { targets: TARGETS }), 0.7)));
    const optimizer = withRangeLoss(tf.train.sgd(0.1), { targets: TARGETS, weight: 0.7 });
    const cost = optimizer.minimize(() => crossEntropy(y, model.apply(x, { training: true }) as tf.Tensor), true);
    expect(cost!.dataSync()[0]).toBeCloseTo(sum!, 5);
    expect(largestDifference(weightsOf(model), afterOneStep(0.7))).toBeLessThan(1e-6);
  });

  test('weight 0 is plain training', () => {
    const [model, { x, y }] = [classifier(), data()];
    const step = () => {
      expect(isRecordingRanges()).toBe(false);
      return crossEntropy(y, model.apply(x, { training: true }) as tf.Tensor);
    };
    withRangeLoss(tf.train.sgd(0.1), { targets: TARGETS, weight: 0 }).minimize(step);
    expect(weightsOf(model)).toEqual(afterOneStep(0));
  });

  test('a schedule sees the steps from 0 on, or from where step is set', () => {
    const [model, { x, y }] = [classifier(), data()];
    const steps: number[] = [];
    const optimizer = withRangeLoss(tf.train.sgd(0.1), (step) => {
      steps.push(step);
      return { targets: TARGETS };
    });
    const minimize = () => optimizer.minimize(() => crossEntropy(y, model.apply(x) as tf.Tensor));
    minimize();
    minimize();
    optimizer.step = 10;
    minimize();
    expect(steps).toEqual([0, 1, 10]);
  });

  test('steps leak no tensors', () => {
    const [model, { x, y }] = [classifier(), data()];
    const optimizer = withRangeLoss(tf.train.adam(0.01), { targets: TARGETS });
    const step = () => optimizer.minimize(() => crossEntropy(y, model.apply(x) as tf.Tensor));
    step();
    const before = tf.memory().numTensors;
    step();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a model saved with its optimizer loads with the plain one and its state', async () => {
    const [model, { x, y }] = [classifier(), data()];
    model.compile({ optimizer: withRangeLoss(tf.train.adam(0.01), { targets: TARGETS }), loss: 'meanSquaredError' });
    await model.trainOnBatch(x, y);
    let artifacts: tf.io.ModelArtifacts | undefined;
    const handler = tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    });
    await model.save(handler, { includeOptimizer: true });
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory(artifacts!));
    expect(loaded.optimizer.getClassName()).toBe('Adam');
    expect(loaded.optimizer.iterations).toBe(1);
  });

  test.each([
    ['a negative weight', { targets: TARGETS, weight: -1 }, /weight/],
    ['a misspelt site', { targets: { 'block_0/attention/denominater': { upper: 1 } } }, /no site block_0\/attention\/denominater/],
  ])('%s is refused', (_, settings, message) => {
    const [model, { x, y }] = [classifier(), data()];
    const step = () => withRangeLoss(tf.train.sgd(0.1), settings).minimize(() => crossEntropy(y, model.apply(x) as tf.Tensor));
    expect(step).toThrow(InvalidArgumentError);
    expect(step).toThrow(message);
  });

  test('a model without ranges is refused', () => {
    const w = tf.variable(tf.scalar(1));
    const step = () => withRangeLoss(tf.train.sgd(0.1), { targets: TARGETS }).minimize(() => tf.square(w));
    expect(step).toThrow(/reports no ranges/);
  });
});

describe('tightenRanges', () => {
  const seen: SiteInterval[] = [
    { name: 'a/denominator', function: 'reciprocal', interval: [0.5, 16] },
    { name: 'a/activation', function: 'gelu', interval: [-2, 9] },
    { name: 'b/variance', function: 'rsqrt', interval: [0.1, 2] },
  ];

  test('has no weight before its start and grows linearly to the final one', () => {
    const schedule = tightenRanges({ targets: TARGETS, start: 3, steps: 4, weight: 2 });
    expect([0, 2, 3, 4, 6, 7, 99].map((step) => schedule(step).weight)).toEqual([0, 0, 0.5, 1, 2, 2, 2]);
    expect(schedule(4).targets).toEqual(TARGETS);
  });

  test('moves bounds geometrically for positive functions, linearly for others, and leaves those that hold', () => {
    const targets = { reciprocal: { upper: 4 }, gelu: { lower: -3, upper: 5 } };
    const halfway = tightenRanges({ targets, start: 0, steps: 2, from: seen })(0).targets;
    expect(halfway).toEqual({
      ...targets,
      'a/denominator': { upper: expect.closeTo(8) },
      'a/activation': { lower: -3, upper: expect.closeTo(7) },
    });
  });

  test('ends at the targets as given', () => {
    const schedule = tightenRanges({ targets: TARGETS, start: 0, steps: 5, from: seen });
    expect(schedule(4)).toEqual({ weight: 1, targets: TARGETS });
  });

  test('asks for the ranges once, when tightening starts', () => {
    let calls = 0;
    const from = () => {
      calls += 1;
      return seen;
    };
    const schedule: RangeSchedule = tightenRanges({ targets: TARGETS, start: 1, steps: 5, from });
    schedule(0);
    expect(calls).toBe(0);
    schedule(1);
    schedule(2);
    expect(calls).toBe(1);
  });

  test.each([{ start: -1 }, { start: 0.5 }, { steps: 0 }, { weight: Number.NaN }])('%j is refused', (wrong) => {
    expect(() => tightenRanges({ targets: TARGETS, start: 1, steps: 1, ...wrong })).toThrow(InvalidArgumentError);
  });

  test('ranges that were never recorded are refused', () => {
    expect(() => tightenRanges({ targets: TARGETS, start: 0, steps: 2, from: () => [] })(0)).toThrow(/Record them before/);
  });
});

describe('RangeMonitor', () => {
  function intervalsOf(model: tfl.LayersModel, x: tf.Tensor): [string, number, number][] {
    const { sites } = collectRanges(() => model.apply(x));
    return sites.map(({ name, values }) => [name, tf.min(values).dataSync()[0]!, tf.max(values).dataSync()[0]!]);
  }

  test('records the union over the batches of each epoch, with kappa, and prints a table', async () => {
    const [model, { x, y }] = [classifier(), data()];
    const tables: string[] = [];
    const monitor = new RangeMonitor({ print: (table) => tables.push(table) });
    // A learning rate of 0: every batch sees the same weights.
    model.compile({ optimizer: tf.train.sgd(0), loss: crossEntropy });
    const before = tf.memory().numTensors;
    await model.fit(x, y, { batchSize: 2, epochs: 2, verbose: 0, callbacks: [monitor] });
    expect(tf.memory().numTensors).toBe(before);
    expect(monitor.history).toHaveLength(2);
    const expected = intervalsOf(model, x);
    expect(monitor.history[1]!.map(({ name, interval }) => [name, ...interval])).toEqual(
      expected.map(([name, lower, upper]) => [name, expect.closeTo(lower, 5), expect.closeTo(upper, 5)]),
    );
    const [denominator, , activation] = monitor.intervals();
    expect(denominator!.kappa).toBeCloseTo(denominator!.interval[1] / denominator!.interval[0]);
    expect(activation!.kappa).toBeUndefined();
    expect(tables).toHaveLength(2);
    expect(tables[0]!.split('\n').map((line) => line.split(' ')[0])).toEqual(['site', ...expected.map(([name]) => name)]);
    expect(isRecordingRanges()).toBe(false);
  });

  test('leaves validation batches out', async () => {
    const [model, { x, y }] = [classifier(), data()];
    const monitor = new RangeMonitor({ print: null });
    model.compile({ optimizer: tf.train.sgd(0), loss: crossEntropy });
    const validationData: [tf.Tensor, tf.Tensor] = [tf.mul(x, 10), y];
    await model.fit(x, y, { epochs: 1, verbose: 0, validationData, callbacks: [monitor] });
    expect(monitor.intervals()[0]!.interval[1]).toBeCloseTo(intervalsOf(model, x)[0]![2], 5);
  });

  test('watches steps of a loop of its own, together with a range loss', () => {
    const [model, { x, y }] = [classifier(), data()];
    const monitor = new RangeMonitor({ print: null });
    const optimizer = withRangeLoss(tf.train.sgd(0), { targets: TARGETS });
    const before = tf.memory().numTensors;
    monitor.watch(() => optimizer.minimize(() => crossEntropy(y, model.apply(x) as tf.Tensor)));
    expect(tf.memory().numTensors).toBe(before);
    expect(monitor.endEpoch().map(({ name, interval }) => [name, ...interval])).toEqual(intervalsOf(model, x));
  });

  test('a failing step ends the watch and leaves no tensors', () => {
    const [model, { x }] = [classifier(), data()];
    const monitor = new RangeMonitor({ print: null });
    const before = tf.memory().numTensors;
    const failing = () =>
      tf.tidy(() => {
        model.apply(x);
        throw new Error('step failed');
      });
    expect(() => monitor.watch(failing)).toThrow('step failed');
    expect(isRecordingRanges()).toBe(false);
    expect(tf.memory().numTensors).toBe(before);
  });
});

test('where fit throws, a RangeMonitor ends its watch with the next forward pass and frees what it held', async () => {
  const [model, { x, y }] = [classifier(), data()];
  const fail = () => {
    throw new Error('loss failed');
  };
  model.compile({ optimizer: tf.train.sgd(0.1), loss: fail });
  const monitor = new RangeMonitor({ print: null });
  await expect(model.fit(x, y, { verbose: 0, callbacks: [monitor] })).rejects.toThrow('loss failed');
  expect(isRecordingRanges()).toBe(true);
  const held = tf.memory().numTensors;
  tf.dispose(model.predict(x));
  expect(isRecordingRanges()).toBe(false);
  // The smallest and the largest input of each of the four sites.
  expect(tf.memory().numTensors).toBe(held - 8);
  expect(monitor.intervals()).toEqual([]);
});

test('train, then tighten: model.fit narrows the ranges to their targets', async () => {
  await useBackend('wasm');
  const [model, { x, y }] = [classifier(), data(24)];
  const monitor = new RangeMonitor({ print: null });
  const targets = { reciprocal: { upper: 0.6 }, rsqrt: { upper: 1 }, gelu: { lower: -1.5, upper: 1.5 } };
  const schedule = tightenRanges({ targets, start: 30, steps: 60, weight: 5, from: () => monitor.intervals() });
  model.compile({ optimizer: withRangeLoss(tf.train.adam(0.02), schedule), loss: crossEntropy });
  await model.fit(x, y, { batchSize: 24, epochs: 160, verbose: 0, callbacks: [monitor] });
  const excess = (epoch: number) =>
    monitor.history[epoch]!.map(({ function: fn, interval: [, upper] }) => upper / targets[fn as keyof typeof targets].upper);
  expect(Math.max(...excess(29))).toBeGreaterThan(1.5);
  expect(Math.max(...excess(159))).toBeLessThan(1.2);
  await useBackend('cpu');
});
