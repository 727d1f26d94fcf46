import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { CompileControl } from '../compiler/compile.js';
import { compile } from '../compiler/compile.js';
import type { CompileOptions } from '../compiler/options.js';
import { HeError } from '../errors.js';
import { profile } from '../program/profile.js';
import type { Program } from '../program/program.js';

/** Inputs that one run takes: a number, or as many as make a run cheaper by the input. */
export type BatchOption = number | 'auto';

/** Larger batches take long to compile, and one refused input stops them all. */
const LARGEST_AUTO = 64;
const LARGEST = 4096;
/** The next batch, twice as large, has to be predicted at most this much of the time by the input. */
const WORTH_DOUBLING = 0.9;

/**
 * Compiles a model for a batch. `auto` doubles it while a run is predicted to take less time by the input, which is while inputs fit into one ciphertext together: at twice the
 * ciphertexts, a run takes twice the time.
 * @throws HeError PARAMETERS_INVALID (a batch that is no whole number from 1 to 4096), and those of `compile` for one input.
 */
export async function compileBatch(model: LayersModel, batch: BatchOption, options: CompileOptions & CompileControl): Promise<Program> {
  if (batch !== 'auto') {
    if (!Number.isInteger(batch) || batch < 1 || batch > LARGEST) {
      throw new HeError('PARAMETERS_INVALID', `a batch of ${batch} inputs`, {
        op: 'runner',
        hint: `Use a whole number from 1 to ${LARGEST}, or auto.`,
      });
    }
    return compile(model, withBatch(model, batch, options));
  }
  const msByInput = (program: Program, size: number): number =>
    profile(program, options.roundTripMs, options.costs ?? options.engine).predictedMs / size;
  let best = await compile(model, withBatch(model, 1, options));
  for (let size = 2; size <= LARGEST_AUTO; size *= 2) {
    const next = await compile(model, withBatch(model, size, options)).catch(unlessTooLarge);
    if (next === null || msByInput(next, size) > WORTH_DOUBLING * msByInput(best, size / 2)) return best;
    best = next;
  }
  return best;
}

/** A batch for which nothing fits ends the search. */
function unlessTooLarge(error: unknown): null {
  if (error instanceof HeError && error.code === 'COMPILE_FAILED') return null;
  throw error;
}

/** The options with another first dimension of every input. */
function withBatch(model: LayersModel, batch: number, options: CompileOptions & CompileControl): CompileOptions & CompileControl {
  const { inputShape, inputShapes, ...others } = options;
  const resized = (shape: readonly (number | null)[]): number[] => [batch, ...shape.slice(1).map((size) => size ?? 0)];
  const [only] = model.inputs;
  if (model.inputs.length === 1 && only !== undefined && inputShapes === undefined)
    return { ...others, inputShape: resized(inputShape ?? only.shape) };
  const shapes = model.inputs.map(({ shape }, i) => {
    const name = model.inputNames[i] ?? '';
    return [name, resized(inputShapes?.[name] ?? shape)] as const;
  });
  return { ...others, inputShapes: Object.fromEntries(shapes) };
}
