import type { LinearMap } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { MAX_CIPHERTEXTS } from '../wire/layout.js';
import { featureMajorPeriod } from './slot_layout.js';

/** A box of a tensor: what one ciphertext holds of it. */
export interface TensorPart {
  /** Extents of the box. */
  readonly shape: readonly number[];
  /** Its elements, as indices (row-major, ascending) of the tensor. */
  readonly elements: Int32Array;
}

/** A tensor in parts, which share no element and leave none out. */
export type Partition = readonly TensorPart[];

/** The tensor as it is. */
export function whole(shape: readonly number[]): Partition {
  return [{ shape, elements: Int32Array.from({ length: sizeOf(shape) }, (_, e) => e) }];
}

export function samePartition(a: Partition, b: Partition): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every(({ elements }, i) => {
      const other = b[i]?.elements;
      return other !== undefined && elements.length === other.length && elements.every((e, j) => e === other[j]);
    })
  );
}

/** Boxes of at most `chunks` along each axis, in row-major order. */
export function boxes(shape: readonly number[], chunks: readonly number[]): Partition {
  const counts = boxCounts(shape, chunks);
  const parts: TensorPart[] = [];
  for (let box = 0; box < sizeOf(counts); box++) {
    const at = coordinates(box, counts);
    const starts = at.map((c, axis) => c * (chunks[axis] ?? 0));
    const extents = shape.map((extent, axis) => Math.min(chunks[axis] ?? extent, extent - (starts[axis] ?? 0)));
    const elements = Int32Array.from({ length: sizeOf(extents) }, (_, e) =>
      coordinates(e, extents).reduce((index, c, axis) => index * (shape[axis] ?? 1) + c + (starts[axis] ?? 0), 0),
    );
    parts.push({ shape: extents, elements });
  }
  return parts;
}

function boxCounts(shape: readonly number[], chunks: readonly number[]): number[] {
  return shape.map((extent, axis) => Math.ceil(extent / (chunks[axis] ?? extent)));
}

function coordinates(index: number, extents: readonly number[]): number[] {
  const at = new Array<number>(extents.length).fill(0);
  let rest = index;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const extent = extents[axis] ?? 1;
    at[axis] = rest % extent;
    rest = Math.floor(rest / extent);
  }
  return at;
}

/** Whether a tensor of this shape fits in one ciphertext, feature-major. */
export function fits(shape: readonly number[], slots: number): boolean {
  return sizeOf(shape) <= slots && featureMajorPeriod(shape) <= slots;
}

/**
 * The partition a tensor of shape [..., T, F] has by itself: along features, so that the tokens of all of the batch stay together; along the batch,
 * then tokens, where not even one feature fits.
 */
export function byFeatures(shape: readonly number[], slots: number): Partition {
  if (fits(shape, slots)) return whole(shape);
  const { view, chunks } = featureChunks(shape, slots);
  return boxes(view, chunks);
}

/** Parts of {@link byFeatures}: of tensors that may have too many of them. */
export function countByFeatures(shape: readonly number[], slots: number): number {
  const { view, chunks } = featureChunks(shape, slots);
  return sizeOf(boxCounts(view, chunks));
}

/** The tensor as [batch, tokens, features], and the extents of its parts. */
function featureChunks(shape: readonly number[], slots: number): { readonly view: readonly number[]; readonly chunks: readonly number[] } {
  const f = shape.at(-1) ?? 1;
  const t = shape.at(-2) ?? 1;
  const view = [sizeOf(shape) / (f * t), t, f];
  const chunks = [...view];
  for (const axis of [2, 0, 1]) {
    chunks[axis] = largestChunk(view[axis] ?? 1, (chunk) => fits(chunks.with(axis, chunk), slots));
    if (fits(chunks, slots)) break;
  }
  return { view, chunks };
}

/** Largest power of two up to `extent` (or all of it) that passes; 1 where none does. */
export function largestChunk(extent: number, passes: (chunk: number) => boolean): number {
  if (passes(extent)) return extent;
  let chunk = 2 ** Math.floor(Math.log2(extent));
  while (chunk > 1 && !passes(chunk)) chunk /= 2;
  return chunk;
}

/**
 * The partition of an affine result whose elements each read one part of what it is computed from, at least of some of its sources: then no part
 * of those has to be spread over several. Null: there is no such partition in boxes that fit.
 */
export function inheritedPartition(
  shape: readonly number[],
  terms: readonly { readonly map: LinearMap; readonly partition: Partition }[],
  slots: number,
): Partition | null {
  const size = sizeOf(shape);
  let classes = new Int32Array(size);
  let count = 1;
  for (const { map, partition } of terms) {
    const own = partition.length === 1 ? null : partRead(map, partition);
    if (own === null) continue;
    const merged = new Map<number, number>();
    classes = classes.map((before, row) => classOf(merged, before * (MAX_CIPHERTEXTS + 1) + (own[row] ?? 0) + 1));
    count = merged.size;
    if (count > MAX_CIPHERTEXTS) return null;
  }
  const parts = count === 1 ? null : boxesOf(shape, classes, count);
  return parts?.every((part) => fits(part.shape, slots)) === true ? parts : null;
}

function classOf(classes: Map<number, number>, key: number): number {
  const known = classes.get(key);
  if (known !== undefined) return known;
  classes.set(key, classes.size);
  return classes.size - 1;
}

/** By row, the part that all its entries read (-1: it has none); null when a row reads several. */
function partRead({ rows, rowStart, column }: LinearMap, partition: Partition): Int32Array | null {
  const { part } = placesOf(partition);
  const read = new Int32Array(rows).fill(-1);
  for (let row = 0; row < rows; row++) {
    const end = rowStart[row + 1] ?? 0;
    for (let i = rowStart[row] ?? 0; i < end; i++) {
      const own = part[column[i] ?? 0] ?? 0;
      if (read[row] !== -1 && read[row] !== own) return null;
      read[row] = own;
    }
  }
  return read;
}

/** By element of the tensor: its part, and its index there. */
export function placesOf(partition: Partition): { readonly part: Int32Array; readonly index: Int32Array } {
  const size = partition.reduce((sum, { elements }) => sum + elements.length, 0);
  const part = new Int32Array(size);
  const index = new Int32Array(size);
  for (const [p, { elements }] of partition.entries()) {
    elements.forEach((element, i) => {
      part[element] = p;
      index[element] = i;
    });
  }
  return { part, index };
}

/** Elements by class, when every class is a product of index sets, one per axis. */
function boxesOf(shape: readonly number[], classes: Int32Array, count: number): Partition | null {
  const lists: number[][] = Array.from({ length: count }, () => []);
  for (const [element, own] of classes.entries()) lists[own]?.push(element);
  const parts: TensorPart[] = [];
  for (const elements of lists) {
    const used = shape.map(() => new Set<number>());
    for (const element of elements) for (const [axis, c] of coordinates(element, shape).entries()) used[axis]?.add(c);
    const extents = used.map((indices) => indices.size);
    // As many elements as the sets' product has: all of it.
    if (sizeOf(extents) !== elements.length) return null;
    parts.push({ shape: extents, elements: Int32Array.from(elements) });
  }
  return parts;
}
