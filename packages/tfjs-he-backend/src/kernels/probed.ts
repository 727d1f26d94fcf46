import {
  AvgPool3D,
  AvgPool3DGrad,
  Bincount,
  Conv3D,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  CropAndResize,
  DenseBincount,
  Diag,
  FlipLeftRight,
  type KernelConfig,
  ResizeBilinear,
  ResizeBilinearGrad,
  ResizeNearestNeighborGrad,
  RotateWithOffset,
  SparseSegmentMean,
  SparseSegmentSum,
  SparseToDense,
  type TensorInfo,
  Transform,
} from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { buildMap, type LinearMap } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { type EncryptedKernel, type KernelCall, kernel, runPlain } from './shared.js';

/** As many values as the largest ciphertext holds; more could not be run anyway. */
const MAX_ELEMENTS = 16384;

interface Linearity {
  /** Inputs in which the kernel is affine, all together. */
  readonly inputs?: readonly string[];
  /** Inputs in each of which it is linear, the others in the clear. */
  readonly oneOf?: readonly string[];
  /** Inputs of which only the shape counts. */
  readonly shapeOf?: string;
}

/** Kernels of the CPU backend that are linear in some input and have no map written out here. */
const LINEAR: Readonly<Record<string, Linearity>> = {
  [AvgPool3D]: { inputs: ['x'] },
  [AvgPool3DGrad]: { inputs: ['dy'], shapeOf: 'input' },
  [Bincount]: { inputs: ['weights'] },
  [Conv3D]: { oneOf: ['x', 'filter'] },
  [Conv3DBackpropFilterV2]: { oneOf: ['x', 'dy'] },
  [Conv3DBackpropInputV2]: { oneOf: ['dy', 'filter'] },
  [CropAndResize]: { inputs: ['image'] },
  [DenseBincount]: { inputs: ['weights'] },
  [Diag]: { inputs: ['x'] },
  [FlipLeftRight]: { inputs: ['image'] },
  [ResizeBilinear]: { inputs: ['images'] },
  [ResizeBilinearGrad]: { inputs: ['dy'], shapeOf: 'images' },
  [ResizeNearestNeighborGrad]: { inputs: ['dy'], shapeOf: 'images' },
  [RotateWithOffset]: { inputs: ['image'] },
  [SparseSegmentMean]: { inputs: ['data'] },
  [SparseSegmentSum]: { inputs: ['data'] },
  [SparseToDense]: { inputs: ['sparseValues', 'defaultValue'] },
  [Transform]: { inputs: ['image'] },
};

export const probedConfigs: readonly KernelConfig[] = Object.entries(LINEAR).map(([name, linearity]) => kernel(name, probed(linearity)));

/**
 * The matrix of a kernel that is linear, found by asking: the CPU kernel runs on every unit tensor in place of an encrypted input. The result for zeros
 * is the bias.
 */
function probed({ inputs = [], oneOf = [], shapeOf }: Linearity): EncryptedKernel {
  return (call) => {
    const { backend } = call;
    const encrypted = Object.entries(call.inputs).flatMap(([name, tensor]) =>
      tensor !== null && tensor !== undefined && backend.isEncrypted(tensor) ? [[name, tensor] as const] : [],
    );
    const names = encrypted.map(([name]) => name).filter((name) => name !== shapeOf);
    const allowed = names.every((name) => inputs.includes(name)) || (names.length === 1 && oneOf.includes(names[0] ?? ''));
    if (!allowed) {
      throw new HeError('KERNEL_UNSUPPORTED', `kernel '${call.name}' is not linear in its inputs ${names.join(' and ')}`, {
        op: call.name,
        hint: `Only ${inputs.join(' and ') || oneOf.join(' or ')} may be encrypted; pass the others in the clear.`,
      });
    }
    const zeros = new Map(encrypted.map(([name, { shape }]) => [name, new Float32Array(sizeOf(shape))]));
    const replaced = encrypted.map(([name, { shape }]) => [name, backend.plain.makeTensorInfo(shape, 'float32', zeros.get(name))] as const);
    const probe: KernelCall = { ...call, inputs: { ...call.inputs, ...Object.fromEntries(replaced) } };
    try {
      const { shape, values: bias } = run(probe);
      const terms = names.map((name) => {
        const tensor = call.inputs[name];
        const unit = zeros.get(name);
        if (tensor === undefined || unit === undefined)
          throw new HeError('GRAPH_INVALID', 'no such input', { op: call.name, hint: 'This is a bug.' });
        return { map: probedMap(probe, unit, bias), source: backend.nodeOf(tensor) };
      });
      // Only the shape of what is encrypted counts.
      if (terms.length === 0) return backend.plain.makeTensorInfo(shape, 'float32', Float32Array.from(bias));
      return backend.wrap(backend.recorder.affine(shape, terms, bias));
    } finally {
      for (const [, info] of replaced) backend.plain.disposeData(info.dataId);
    }
  };
}

/** `unit` is what the replaced input holds: all zeros before and after. */
function probedMap(probe: KernelCall, unit: Float32Array, bias: Float64Array): LinearMap {
  if (unit.length > MAX_ELEMENTS) {
    throw new HeError('KERNEL_UNSUPPORTED', `kernel '${probe.name}' on ${unit.length} encrypted elements`, {
      op: probe.name,
      hint: `At most ${MAX_ELEMENTS} are possible.`,
    });
  }
  const rows: { column: number; value: number }[][] = Array.from(bias, () => []);
  for (let column = 0; column < unit.length; column++) {
    unit[column] = 1;
    const { values } = run(probe);
    unit[column] = 0;
    for (const [row, value] of values.entries()) {
      const change = value - (bias[row] ?? 0);
      if (change !== 0) rows[row]?.push({ column, value: change });
    }
  }
  return buildMap(bias.length, unit.length, (row, emit) => {
    for (const { column, value } of rows[row] ?? []) emit(column, value);
  });
}

function run(call: KernelCall): { readonly shape: number[]; readonly values: Float64Array } {
  const [result]: TensorInfo[] = [runPlain(call)].flat();
  if (result === undefined)
    throw new HeError('GRAPH_INVALID', `kernel '${call.name}' has no result`, { op: call.name, hint: 'This is a bug.' });
  const values = call.backend.plainValues(result);
  call.backend.plain.disposeData(result.dataId);
  return { shape: result.shape, values };
}
