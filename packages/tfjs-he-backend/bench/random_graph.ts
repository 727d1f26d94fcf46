import * as tf from '@tensorflow/tfjs-core';

/** A random function of encrypted tensors, its inputs, and what it gives in the clear. */
export interface RandomGraph {
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly values: Float32Array }[];
  /** What was drawn, in words: to read a failure by. */
  readonly text: string;
  /** The outputs, from tensors in the order of `inputs`. */
  readonly body: (inputs: readonly tf.Tensor[]) => tf.Tensor[];
  readonly expected: readonly Float32Array[];
}

/** From tensors made so far to a new one. */
type Step = (tensors: readonly tf.Tensor[]) => tf.Tensor;

interface Draw {
  readonly text: string;
  readonly step: Step;
}

const MAX_ELEMENTS = 96;
/** Values beyond this are scaled back, so that precision is one number for all graphs. */
const BOUND = 1.5;
/** Of an operation's result, before it is scaled back. */
const MAX_VALUE = 200;

/**
 * A graph of up to `nodes` operations on one or two inputs, drawn from all kinds of operations that run on ciphertexts; magnitudes stay
 * about one (a scaling is added where they would not, and not counted as a node).
 */
export function randomGraph(nodes: number, seed: number): RandomGraph {
  tf.engine().startScope('random graph');
  try {
    const random = new Random(seed);
    const inputs = Array.from({ length: 1 + random.below(2) }, (_, i) => {
      const shape = random.shape();
      return { name: `x${i}`, shape, values: random.values(tf.util.sizeFromShape(shape), 1) };
    });
    const tensors: tf.Tensor[] = inputs.map(({ shape, values }) => tf.tensor(values, shape));
    const steps: Step[] = [];
    const words: string[] = inputs.map(({ shape }, i) => `%${i} = input [${shape}]`);
    const push = ({ text, step }: Draw): boolean => {
      const made = step(tensors);
      const size = largest(made);
      if (made.size > MAX_ELEMENTS || made.size === 0 || made.rank > 4 || !(size <= MAX_VALUE)) return false;
      words.push(`%${tensors.length} = ${text} -> [${made.shape}]`);
      steps.push(step);
      tensors.push(made);
      if (size > BOUND) scaleBack(size);
      return true;
    };
    const scaleBack = (size: number): void => {
      const of = tensors.length - 1;
      push({ text: `%${of} / ${size.toFixed(2)}`, step: (all) => tf.mul(at(all, of), 1 / size) });
    };
    for (let drawn = 0; drawn < nodes; ) {
      const draw = random.pick(OPERATIONS)(random, tensors);
      if (draw !== null && push(draw)) drawn++;
    }
    const wanted = [...new Set([tensors.length - 1, inputs.length + random.below(tensors.length - inputs.length)])];
    const body = (given: readonly tf.Tensor[]): tf.Tensor[] => {
      const all = [...given];
      for (const step of steps) all.push(step(all));
      return wanted.map((i) => at(all, i));
    };
    const expected = wanted.map((i) => Float32Array.from(at(tensors, i).dataSync()));
    return { inputs, text: [...words, `outputs ${wanted.map((i) => `%${i}`)}`].join('\n'), body, expected };
  } finally {
    tf.engine().endScope();
  }
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`no item ${index}`);
  return item;
}

function largest(x: tf.Tensor): number {
  return Array.from(x.dataSync()).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

type Operation = (random: Random, tensors: readonly tf.Tensor[]) => Draw | null;

function unary(text: string, apply: (x: tf.Tensor, random: Random) => ((x: tf.Tensor) => tf.Tensor) | null): Operation {
  return (random, tensors) => {
    const i = random.recent(tensors.length);
    const made = apply(at(tensors, i), random);
    return made === null ? null : { text: `${text}(%${i})`, step: (all) => made(at(all, i)) };
  };
}

/** Two tensors of one shape up to broadcasting. */
function binary(text: string, apply: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Operation {
  return (random, tensors) => {
    const i = random.recent(tensors.length);
    const j = random.pick(tensors.flatMap((b, index) => (broadcasts(at(tensors, i), b) ? [index] : [])));
    return { text: `${text}(%${i}, %${j})`, step: (all) => apply(at(all, i), at(all, j)) };
  };
}

function broadcasts(a: tf.Tensor, b: tf.Tensor): boolean {
  const rank = Math.min(a.rank, b.rank);
  return a.shape.slice(a.rank - rank).every((size, axis) => {
    const other = b.shape[b.rank - rank + axis];
    return size === other || size === 1 || other === 1;
  });
}

/** With a plaintext tensor of the same shape, or of its last axis. */
function withPlain(text: string, apply: (x: tf.Tensor, plain: tf.Tensor) => tf.Tensor, away = 0): Operation {
  return unary(text, (x, random) => {
    const shape = random.below(2) === 0 ? x.shape : x.shape.slice(-1);
    const values = random.values(tf.util.sizeFromShape(shape), 1).map((v) => v + Math.sign(v) * away);
    return (y) => apply(y, tf.tensor(values, shape));
  });
}

/** A kernel of tfjs-he-backend, of its operand plus a number; by name, as the package is imported from its sources in tests and as built in benchmarks. */
function kernelOf(name: string, plus: number, attributes: tf.NamedAttrMap): Operation {
  return unary(name, () => (x) => at([tf.engine().runKernel(name, { x: tf.add(x, plus) }, attributes)].flat(), 0));
}

const OPERATIONS: readonly Operation[] = [
  binary('add', tf.add),
  binary('sub', tf.sub),
  binary('mul', tf.mul),
  binary('mul', tf.mul),
  binary('squaredDifference', tf.squaredDifference),
  unary('square', () => tf.square),
  unary('neg', () => tf.neg),
  unary('pow3', () => (x) => tf.pow(x, 3)),
  withPlain('plain add', tf.add),
  withPlain('plain mul', tf.mul),
  withPlain('plain sub from', (x, plain) => tf.sub(plain, x)),
  withPlain('plain div', (x, plain) => tf.div(x, plain), 0.5),
  withPlain('where', (x, plain) => tf.where(tf.greater(plain, 0), x, tf.mul(x, 2))),
  unary('half', () => (x) => tf.mul(x, 0.5)),
  unary('zeroed', (x, random) => {
    const mask = Float32Array.from({ length: x.size }, () => random.below(2));
    return (y) => tf.mul(y, tf.tensor(mask, x.shape));
  }),
  unary('sum', (x, random) => (x.rank === 0 ? null : axisOf(x, random, (y, axis, keep) => tf.sum(y, axis, keep)))),
  unary('mean', (x, random) => (x.rank === 0 ? null : axisOf(x, random, (y, axis, keep) => tf.mean(y, axis, keep)))),
  unary('cumsum', (x, random) => (x.rank === 0 ? null : axisOf(x, random, (y, axis, flag) => tf.cumsum(y, axis, flag)))),
  unary('prod', (x, random) =>
    (x.shape.at(-1) ?? 9) > 3 || x.rank === 0 ? null : axisOf(x, random, (y, _, keep) => tf.prod(y, y.rank - 1, keep)),
  ),
  unary('flatten', () => (x) => tf.reshape(x, [-1])),
  unary('rows', () => (x) => tf.reshape(x, [1, x.size])),
  unary('expandDims', () => (x) => tf.expandDims(x, 0)),
  unary('squeeze', () => (x) => tf.squeeze(x)),
  unary('transpose', () => (x) => tf.transpose(x)),
  unary('reverse', (x, random) => (x.rank === 0 ? null : axisOf(x, random, (y, axis) => tf.reverse(y, axis)))),
  unary('pad', (x) =>
    x.rank === 0
      ? null
      : (y) =>
          tf.pad(
            y,
            y.shape.map((_, axis): [number, number] => (axis === 0 ? [1, 0] : [0, 1])),
          ),
  ),
  unary('tile', (x) =>
    x.rank === 0
      ? null
      : (y) =>
          tf.tile(
            y,
            y.shape.map((_, axis) => (axis === 0 ? 2 : 1)),
          ),
  ),
  unary('slice', (x, random) => {
    if (x.rank === 0) return null;
    const begin = x.shape.map((size) => random.below(size));
    return (y) => tf.slice(y, begin);
  }),
  unary('stridedSlice', (x) =>
    x.rank === 0
      ? null
      : (y) =>
          tf.stridedSlice(
            y,
            y.shape.map(() => 0),
            y.shape.slice(),
            y.shape.map(() => 2),
          ),
  ),
  unary('gather', (x, random) => {
    if (x.rank === 0) return null;
    const indices = Array.from({ length: 3 }, () => random.below(at(x.shape, 0)));
    return (y) => tf.gather(y, tf.tensor1d(indices, 'int32'));
  }),
  unary('gatherND', (x, random) => {
    if (x.rank === 0) return null;
    const indices = Array.from({ length: 3 }, () => x.shape.map((size) => random.below(size)));
    return (y) => tf.gatherND(y, tf.tensor2d(indices, [3, x.rank], 'int32'));
  }),
  unary('addN', () => (x) => tf.addN([x, tf.mul(x, 0.5), x])),
  unary('broadcastTo', (x) => (x.rank > 3 ? null : (y) => tf.broadcastTo(y, [2, ...y.shape]))),
  kernelOf('HePolynomial', 0, { coefficients: [0.2, 0.5, -0.3, 0.1], basis: 'chebyshev', interval: [-BOUND, BOUND] }),
  kernelOf('HeReciprocal', 2.5, { interval: [2.5 - BOUND, 2.5 + BOUND], bits: 10 }),
  kernelOf('HeRsqrt', 2.5, { interval: [2.5 - BOUND, 2.5 + BOUND], bits: 10 }),
  binary('concat or stack', (a, b) => (a.shape.join() === b.shape.join() && a.rank > 0 ? tf.concat([a, b], 0) : tf.add(a, b))),
  unary('unstack', (x, random) => {
    if (x.rank === 0) return null;
    const index = random.below(at(x.shape, 0));
    return (y) => at(tf.unstack(y), index);
  }),
  unary('split', (x) => (x.rank === 0 || at(x.shape, 0) % 2 !== 0 ? null : (y) => at(tf.split(y, 2), 1))),
  unary('dense', (x, random) => {
    if (x.rank < 2) return null;
    const [cols, units] = [at(x.shape, x.rank - 1), 1 + random.below(6)];
    const weights = random.values(cols * units, 1);
    return (y) => tf.matMul(tf.reshape(y, [-1, cols]), tf.tensor2d(weights, [cols, units]));
  }),
  unary('plain times', (x, random) => {
    if (x.rank < 2) return null;
    const [cols, rows] = [at(x.shape, x.rank - 1), 1 + random.below(4)];
    const weights = random.values((rows * x.size) / cols, 1);
    return (y) => tf.matMul(tf.tensor2d(weights, [rows, x.size / cols]), tf.reshape(y, [-1, cols]));
  }),
  unary('gram', (x) => (x.rank < 2 ? null : (y) => tf.matMul(y, y, true))),
  unary('gram of rows', (x) => (x.rank < 2 ? null : (y) => tf.matMul(y, y, false, true))),
  (random, tensors) => {
    const i = random.recent(tensors.length);
    const cols = at(tensors, i).shape.at(-1) ?? 0;
    const fitting = tensors.flatMap((b, index) => (at(tensors, i).rank > 1 && cols > 0 && b.size % cols === 0 ? [index] : []));
    if (fitting.length === 0) return null;
    const j = random.pick(fitting);
    return {
      text: `matMul(%${i}, %${j})`,
      step: (all) => tf.matMul(tf.reshape(at(all, i), [-1, cols]), tf.reshape(at(all, j), [cols, -1])),
    };
  },
  unary('einsum', (x, random) => {
    if (x.rank !== 2) return null;
    const equation = random.pick(['ij,ik->j', 'ij,ik->jk', 'ij,ij->i', 'ij,kj->ik', 'ij,ij->']);
    return (y) => tf.einsum(equation, y, tf.mul(y, 0.5));
  }),
  unary('conv2d', (x, random) => {
    const image = imageShape(x);
    if (image === null) return null;
    const filter = random.values(2 * 2 * image[3] * 2, 0.5);
    const stride = 1 + random.below(2);
    return (y) => tf.conv2d(tf.reshape(y, image) as tf.Tensor4D, tf.tensor4d(filter, [2, 2, image[3], 2]), stride, 'same');
  }),
  unary('depthwise', (x, random) => {
    const image = imageShape(x);
    if (image === null) return null;
    const filter = random.values(2 * 2 * image[3], 0.5);
    return (y) => tf.depthwiseConv2d(tf.reshape(y, image) as tf.Tensor4D, tf.tensor4d(filter, [2, 2, image[3], 1]), 1, 'same');
  }),
  unary('avgPool', (x) => {
    const image = imageShape(x);
    return image === null ? null : (y) => tf.avgPool(tf.reshape(y, image) as tf.Tensor4D, 2, 2, 'same');
  }),
  unary('batchNorm', (x, random) => {
    if (x.rank !== 4) return null;
    const channels = at(x.shape, 3);
    const [mean, variance] = [random.values(channels, 0.5), random.values(channels, 0.4).map((v) => v + 1)];
    return (y) => tf.batchNorm4d(y as tf.Tensor4D, tf.tensor1d(mean), tf.tensor1d(variance));
  }),
];

function axisOf(
  x: tf.Tensor,
  random: Random,
  apply: (y: tf.Tensor, axis: number, flag: boolean) => tf.Tensor,
): (y: tf.Tensor) => tf.Tensor {
  const axis = random.below(x.rank);
  const flag = random.below(2) === 0;
  return (y) => apply(y, axis, flag);
}

/** A tensor of rank 3 or 4 as a batch of images. */
function imageShape(x: tf.Tensor): [number, number, number, number] | null {
  const [a, b, c, d] = x.shape;
  if (a === undefined || b === undefined || c === undefined) return null;
  return d === undefined ? [1, a, b, c] : [a, b, c, d];
}

/** Mulberry32. */
class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(list: readonly T[]): T {
    return at(list, this.below(list.length));
  }

  /** An index, later ones more often, so that graphs get deep. */
  recent(length: number): number {
    return Math.floor(this.next() ** 0.5 * length);
  }

  shape(): number[] {
    return Array.from({ length: 1 + this.below(4) }, () => 1 + this.below(4));
  }

  values(size: number, bound: number): Float32Array {
    return Float32Array.from({ length: size }, () => (2 * this.next() - 1) * bound);
  }
}
