import type { LinearMap } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { powerOfTwoAtLeast, type SlotLayout } from './slot_layout.js';

/**
 * The layout of a map's result that leaves elements where they are read from: an axis along which the map reads from ever further on keeps
 * that distance (a convolution of stride 2 leaves every second row and column: gaps are cheaper than moving), an axis along which it reads
 * the same elements (output channels) gets blocks of its own. All elements then share the rotations of one window. Null: there is no such
 * regularity, or elements would collide.
 */
export function inheritedLayout(shape: readonly number[], map: LinearMap, source: SlotLayout): SlotLayout | null {
  const strides = shape.map((extent, axis) => (extent === 1 ? 0 : axisStride(shape, axis, map, source)));
  if (strides.some((stride) => stride < 0)) return null;
  // Blocks begin behind what the axes that move span together.
  let block = powerOfTwoAtLeast(1 + strides.reduce((sum, stride, axis) => sum + stride * ((shape[axis] ?? 1) - 1), 0));
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] ?? 1;
    if (extent === 1 || strides[axis] !== 0) continue;
    strides[axis] = block;
    block *= powerOfTwoAtLeast(extent);
  }
  const slotOf = new Int32Array(sizeOf(shape));
  const taken = new Set<number>();
  for (let element = 0; element < slotOf.length; element++) {
    let rest = element;
    let slot = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const extent = shape[axis] ?? 1;
      slot += (rest % extent) * (strides[axis] ?? 0);
      rest = Math.floor(rest / extent);
    }
    slotOf[element] = slot;
    taken.add(slot);
  }
  return taken.size === slotOf.length ? { slotOf, period: block, copies: [0] } : null;
}

/** Slots between what neighbours on an axis read first, in the middle of the tensor, where no padding disturbs. */
function axisStride(shape: readonly number[], axis: number, map: LinearMap, source: SlotLayout): number {
  const middle = shape.map((extent, i) => (i === axis ? Math.floor((extent - 1) / 2) : Math.floor(extent / 2)));
  const rowAt = (position: readonly number[]): number => position.reduce((row, index, i) => row * (shape[i] ?? 1) + index, 0);
  const firstSlot = (row: number): number => {
    const at = map.rowStart[row] ?? 0;
    return at === map.rowStart[row + 1] ? -1 : (source.slotOf[map.column[at] ?? 0] ?? 0);
  };
  const here = firstSlot(rowAt(middle));
  const next = firstSlot(rowAt(middle.map((index, i) => (i === axis ? index + 1 : index))));
  return here < 0 || next < 0 ? -1 : next - here;
}
