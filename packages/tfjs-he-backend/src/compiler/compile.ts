import type { LayersModel } from '@tensorflow/tfjs-layers';
import { HeError } from '../errors.js';
import type { TensorNode } from '../graph/node.js';
import { simplify } from '../graph/simplify.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Program } from '../program/program.js';
import { checkProgram } from './check.js';
import { evaluationKeyBytes, programMs } from './cost_model.js';
import { emitProgram } from './emit.js';
import { assignLevels } from './levels.js';
import { type Lowered, lower } from './lower.js';
import { candidateParameters } from './parameter_search.js';
import { traceModel } from './trace.js';

export interface CompileOptions {
  /** Shape of the input with batch 1, e.g. [1, 32, 64]; default: the model's input shape with 1 for the batch. */
  readonly inputShape?: readonly number[];
  /** Default 128. */
  readonly securityBits?: 128 | 192 | 256;
  /**
   * Bits of precision wanted in the outputs, absolute (default 12). Taken as the noise of the scheme plus a margin for its growth through the
   * model: ask for more where values are large.
   */
  readonly precisionBits?: number;
  /** log2 of the largest absolute value of a refreshed tensor (default 6). The mock engine reports a value beyond it. */
  readonly valueBits?: number;
  /** Network time of one refresh round, both ways, in ms (default 20). */
  readonly roundTripMs?: number;
  /** Upper bound on relinearisation and Galois keys in the server's memory, in bytes (default 1 GB). */
  readonly maxEvaluationKeyBytes?: number;
  /** Ring degrees to try (default 4096 to 32768). */
  readonly polyModulusDegrees?: readonly number[];
}

const DEFAULTS = {
  securityBits: 128,
  precisionBits: 12,
  valueBits: 6,
  roundTripMs: 20,
  maxEvaluationKeyBytes: 1e9,
  polyModulusDegrees: [4096, 8192, 16384, 32768],
} as const;

/**
 * Compiles a polynomial LayersModel: traces it on the he backend, folds linear maps, and takes the parameters with the least predicted
 * latency.
 * @throws HeError KERNEL_UNSUPPORTED (an operation without polynomial form), COMPILE_FAILED (no parameters fit), GRAPH_INVALID.
 */
export async function compile(model: LayersModel, options: CompileOptions = {}): Promise<Program> {
  return compileGraph(await traceModel(model, options.inputShape), options);
}

/** The same from a tensor graph. */
export function compileGraph(outputs: readonly TensorNode[], options: CompileOptions = {}): Program {
  const settings = { ...DEFAULTS, ...options };
  const simplified = simplify(outputs);
  // Layouts fit in any larger ciphertext: the smallest that is large enough serves all ring degrees.
  let lowered: Lowered | HeError = new HeError('COMPILE_FAILED', 'no parameters reach the precision at this security', {
    hint: 'Ask for less precision.',
  });
  let triedSlots = 0;
  let best: { program: Program; ms: number } | null = null;
  let reason: HeError | null = null;
  for (const parameters of candidateParameters(settings)) {
    if (lowered instanceof HeError && parameters.slots > triedSlots) {
      triedSlots = parameters.slots;
      lowered = attempt(() => lower(simplified, triedSlots));
    }
    const found = lowered instanceof HeError ? lowered : cheapestOf(lowered, parameters, settings);
    if (found instanceof HeError) reason = found;
    else if (best === null || found.ms < best.ms) best = found;
  }
  if (best === null) {
    throw new HeError(
      'COMPILE_FAILED',
      `no parameters fit: ${(reason ?? (lowered instanceof HeError ? lowered : null))?.message ?? 'none reach the precision'}`,
      {
        op: 'compile',
        hint: 'Allow a larger ring degree or more key bytes, or ask for less precision.',
      },
    );
  }
  const program = withOutputShapes(best.program, outputs);
  checkProgram(program);
  return program;
}

function cheapestOf(lowered: Lowered, parameters: Parameters, settings: CostSettings): Found | HeError {
  return attempt(() => cheapest(lowered, parameters, settings));
}

interface CostSettings {
  readonly roundTripMs: number;
  readonly maxEvaluationKeyBytes: number;
}

interface Found {
  readonly program: Program;
  readonly ms: number;
}

/** The better of both refresh policies. */
function cheapest(lowered: Lowered, parameters: Parameters, settings: CostSettings): Found {
  const { maxLevel, refreshLevel } = parameters;
  const [first, second] = [false, true].map((refreshTogether) => {
    const leveled = assignLevels(lowered.circuit, { maxLevel, refreshLevel, refreshTogether });
    const program = emitProgram(lowered, leveled, parameters);
    return { program, ms: programMs(program, settings) };
  });
  const found = first !== undefined && second !== undefined && second.ms < first.ms ? second : first;
  if (found === undefined) throw new HeError('COMPILE_FAILED', 'no refresh policy', { hint: 'This is a bug of tfjs-he-backend.' });
  const keyBytes = evaluationKeyBytes(found.program);
  if (keyBytes > settings.maxEvaluationKeyBytes) {
    throw new HeError('COMPILE_FAILED', `evaluation keys would take ${Math.round(keyBytes / 1e6)} MB`, {
      op: 'compile',
      hint: `The budget maxEvaluationKeyBytes is ${Math.round(settings.maxEvaluationKeyBytes / 1e6)} MB.`,
    });
  }
  return found;
}

function withOutputShapes(program: Program, outputs: readonly TensorNode[]): Program {
  return {
    ...program,
    outputs: program.outputs.map((output, i) => ({
      ...output,
      layout: { ...output.layout, shape: outputs[i]?.shape ?? output.layout.shape },
    })),
  };
}

function attempt<T>(body: () => T): T | HeError {
  try {
    return body();
  } catch (error) {
    if (error instanceof HeError && error.code === 'COMPILE_FAILED') return error;
    throw error;
  }
}
