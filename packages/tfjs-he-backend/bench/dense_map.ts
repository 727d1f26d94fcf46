import type { Engine } from '../dist/engines/engine.js';

/**
 * A square map of a vector that repeats over all slots, rescaled, by its diagonals (Halevi and Shoup, Crypto 2014): baby steps below `babies`, which are hoisted, and Horner's rule
 * over the giant steps.
 *
 * @param diagonals encoded; diagonal d is shifted by the giant steps that come after its product, d - d mod babies slots in all
 */
export function denseMap<C, P>(engine: Engine<C, P>, x: C, diagonals: readonly P[], babies: number): C {
  const rotated = engine.rotateMany(
    x,
    Array.from({ length: babies }, (_, step) => step),
  );
  let total: C | undefined;
  for (let first = diagonals.length - babies; first >= 0; first -= babies) {
    const sum = sumOfProducts(engine, rotated, diagonals.slice(first, first + babies));
    if (total !== undefined) {
      const moved = engine.rotate(total, babies);
      engine.addInPlace(sum, moved);
      engine.dispose(moved);
      engine.dispose(total);
    }
    total = sum;
  }
  if (total === undefined) throw new Error('an empty matrix');
  engine.rescaleInPlace(total, engine.parameters.levelScale(engine.info(total).level - 1));
  for (const c of rotated) engine.dispose(c);
  return total;
}

/** Of as many plaintexts, at least one, as there are ciphertexts, or more: these then come again. */
export function sumOfProducts<C, P>(engine: Engine<C, P>, ciphertexts: readonly C[], plaintexts: readonly P[]): C {
  let sum: C | undefined;
  for (const [i, plaintext] of plaintexts.entries()) {
    const c = ciphertexts[i % ciphertexts.length];
    if (c === undefined) break;
    if (sum === undefined) sum = engine.multiplyPlain(c, plaintext);
    else engine.accumulateProductPlain(sum, c, plaintext);
  }
  if (sum === undefined) throw new Error('an empty sum');
  return sum;
}
