import { constantOf } from '../../src/graph/constants.js';
import { identity } from '../../src/graph/linear_map.js';
import { sizeOf, type TensorNode } from '../../src/graph/node.js';
import { Recorder } from '../../src/graph/recorder.js';
import { simplify } from '../../src/graph/simplify.js';
import { randomMap } from './maps.js';
import { randomSource, randomValues } from './random.js';

/** A random graph of all node kinds over two inputs, values of magnitude about one. */
export function randomGraph(steps: number, seed: number): TensorNode[] {
  const next = randomSource(seed);
  const integer = (n: number): number => Math.floor(next() * n);
  const recorder = new Recorder();
  const shape = (): number[] => [1, 1 + integer(4), 1 + integer(5)];
  const nodes: TensorNode[] = [recorder.input('x', shape()), recorder.input('y', shape())];
  const pick = (): TensorNode => nodes[integer(nodes.length)]!;
  const mapTo = (to: readonly number[], from: TensorNode, k: number): TensorNode => {
    const map = randomMap(sizeOf(to), sizeOf(from.shape), 0.5, seed + 17 * k);
    return recorder.linear(to, from, { ...map, value: map.value.map((v) => v / Math.sqrt(sizeOf(from.shape))) });
  };
  for (let k = 0; k < steps; k++) {
    const kind = integer(5);
    const a = pick();
    if (kind === 0) nodes.push(mapTo(shape(), a, k));
    else if (kind === 1) nodes.push(recorder.product(a, next() < 0.5 ? a : mapTo(a.shape, pick(), k)));
    else if (kind === 2) {
      const size = sizeOf(a.shape);
      const terms = [a, mapTo(a.shape, pick(), k)].map((source, i) => ({
        map: { ...identity(size), value: new Float64Array(size).fill(i === 0 ? [-1, 2, 0.5][integer(3)]! : 1) },
        source,
      }));
      nodes.push(recorder.affine(a.shape, terms, next() < 0.5 ? randomValues(size, seed + k) : null));
    } else if (kind === 3) {
      const [m, l] = [a.shape[1]!, a.shape[2]!];
      const n = 1 + integer(4);
      nodes.push(recorder.matMul([1, m, n], a, mapTo([1, l, n], pick(), k), { batch: 1, m, k: l, n }));
    } else nodes.push(recorder.linear([1, sizeOf(a.shape), 1], a, identity(sizeOf(a.shape))));
  }
  return [nodes.at(-1)!, pick()].filter((node) => constantOf(simplify([node])[0]!) === null);
}
