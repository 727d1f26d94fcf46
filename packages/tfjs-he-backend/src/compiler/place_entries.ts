import type { Fold, LayoutTerm } from './diagonals.js';
import type { SlotLayout } from './slot_layout.js';

/** Where the entries of a term go, besides the steps they mark. */
interface Sink {
  /** By step: diagonals, made when first met; null to mark steps only. */
  readonly diagonals: (Float64Array | undefined)[] | null;
  /** By slot: the output whose partial sum lies there; null unless copies may collide. */
  readonly owner: Int32Array | null;
}

/**
 * Puts every entry of a term on a diagonal: marks its step, and adds its value at its place. False: the partial sums that `fold` asks for
 * would collide.
 */
export function placeEntries(
  { map, layout }: LayoutTerm,
  out: SlotLayout,
  period: number,
  fold: Fold | null,
  marks: Uint8Array,
  { diagonals, owner }: Sink,
): boolean {
  const replicas = (fold?.cyclic === true ? 1 : period / out.period) * out.copies.length;
  const { rows, rowStart, column, value } = map;
  const { slotOf } = layout;
  // Periods are powers of two, so that `& (period - 1)` is the modulus, of negative numbers too.
  const sourceMask = layout.period - 1;
  const foldBits = fold === null ? 0 : (fold.copies - 1) * fold.stride;
  if (replicas === 1 && owner === null && layout.copies.length === 1) {
    placeOnce({ map, layout }, out, period, foldBits, marks, diagonals);
    return true;
  }
  for (let row = 0; row < rows; row++) {
    const end = rowStart[row + 1] ?? 0;
    for (let replica = 0; replica < replicas; replica++) {
      const copy = out.copies[replica % out.copies.length] ?? 0;
      const home = (out.slotOf[row] ?? 0) + copy + Math.floor(replica / out.copies.length) * out.period;
      for (let i = rowStart[row] ?? 0; i < end; i++) {
        const direct = nearest(layout, ((slotOf[column[i] ?? 0] ?? 0) - home) & sourceMask);
        const shift = direct & foldBits;
        const place = (home + shift) & (period - 1);
        const step = (direct - shift) & sourceMask;
        if (owner !== null) {
          const before = owner[place] ?? -1;
          if (before >= 0 && before !== home) return false;
          owner[place] = home;
        }
        marks[step] = 1;
        if (diagonals === null) continue;
        addTo(diagonals, step, place, value[i] ?? 0, period);
      }
    }
  }
  return true;
}

/** The same where every entry has one place: what most of the time of a compilation goes into, for large maps. */
function placeOnce(
  { map, layout }: LayoutTerm,
  out: SlotLayout,
  period: number,
  foldBits: number,
  marks: Uint8Array,
  diagonals: (Float64Array | undefined)[] | null,
): void {
  const { rows, rowStart, column, value } = map;
  const { slotOf } = layout;
  const { slotOf: homes, copies } = out;
  const sourceMask = layout.period - 1;
  const copy = copies[0] ?? 0;
  let end = rowStart[0] ?? 0;
  for (let row = 0; row < rows; row++) {
    const start = end;
    end = rowStart[row + 1] ?? 0;
    const home = (homes[row] ?? 0) + copy;
    for (let i = start; i < end; i++) {
      const direct = ((slotOf[column[i] ?? 0] ?? 0) - home) & sourceMask;
      const shift = direct & foldBits;
      const step = (direct - shift) & sourceMask;
      marks[step] = 1;
      if (diagonals === null) continue;
      addTo(diagonals, step, (home + shift) & (period - 1), value[i] ?? 0, period);
    }
  }
}

function addTo(diagonals: (Float64Array | undefined)[], step: number, place: number, value: number, period: number): void {
  let diagonal = diagonals[step];
  if (diagonal === undefined) {
    diagonal = new Float64Array(period);
    diagonals[step] = diagonal;
  }
  diagonal[place] = (diagonal[place] ?? 0) + value;
}

/** The rotation that brings the nearest copy, or of a replicated element that by a multiple of its block, where `step` brings the first. */
export function nearest({ copies, period, block }: SlotLayout, step: number): number {
  if (copies.length === 1) return step;
  if (block !== undefined) {
    const missing = -step & (block - 1);
    return (step + missing - (missing % (block / copies.length))) & (period - 1);
  }
  let best = step;
  for (const copy of copies) {
    const other = (step + copy) & (period - 1);
    if (Math.min(other, period - other) < Math.min(best, period - best)) best = other;
  }
  return best;
}
