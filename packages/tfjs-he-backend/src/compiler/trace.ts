import { engine, getBackend, ready, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { BACKEND_NAME, HeBackend } from '../backend/he_backend.js';
import { registerHeBackend } from '../backend/register.js';
import { HeError } from '../errors.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import type { Recorder } from '../graph/recorder.js';

/**
 * Records a model as a tensor graph: runs it once on the backend `he` with an encrypted input. The active backend is restored; weights
 * stay where they are.
 * @throws HeError KERNEL_UNSUPPORTED, GRAPH_INVALID (several inputs, unknown dimensions).
 */
export async function traceModel(model: LayersModel, inputShape?: readonly number[]): Promise<TensorNode[]> {
  const [declared] = model.inputs;
  if (declared === undefined || model.inputs.length !== 1) {
    throw new HeError('GRAPH_INVALID', `the model has ${model.inputs.length} inputs`, {
      op: 'compile',
      hint: 'Give a model with one input tensor.',
    });
  }
  const shape = inputShape ?? declared.shape.map((dimension, axis) => dimension ?? (axis === 0 ? 1 : 0));
  if (shape.some((dimension) => dimension < 1) || shape[0] !== 1) {
    throw new HeError('GRAPH_INVALID', `input shape [${shape.join(', ')}] is not fully known with batch 1`, {
      op: 'compile',
      hint: 'Pass inputShape, e.g. [1, 32, 64].',
    });
  }
  return traceFunction(
    (x, recorder) => {
      const restore = labelLayers(model, recorder);
      try {
        return model.apply(x);
      } finally {
        restore();
      }
    },
    [{ name: 'input', shape }],
  );
}

/** Makes every layer announce its name when it runs. Call hooks would do, but a custom layer may leave them out. */
function labelLayers(model: LayersModel, recorder: Recorder): () => void {
  for (const layer of model.layers) {
    const { call } = layer;
    layer.call = (inputs, kwargs) => {
      recorder.label = layer.name;
      return call.call(layer, inputs, kwargs);
    };
  }
  return () => {
    // What remains is the method of the prototype.
    for (const layer of model.layers) Reflect.deleteProperty(layer, 'call');
  };
}

/** Records any function of one or several encrypted tensors. */
export async function traceFunction(
  body: (x: Tensor | Tensor[], recorder: Recorder) => unknown,
  inputs: readonly { readonly name: string; readonly shape: readonly number[] }[],
): Promise<TensorNode[]> {
  registerHeBackend();
  const before = getBackend();
  await setBackend(BACKEND_NAME);
  await ready();
  try {
    const backend = engine().backend;
    if (!(backend instanceof HeBackend))
      throw new HeError('GRAPH_INVALID', 'backend he is of another copy of this package', { hint: 'Install one copy of tfjs-he-backend.' });
    return backend.trace((recorder) => record(body, inputs, backend, recorder));
  } finally {
    if (before !== undefined && before !== '') await setBackend(before);
  }
}

function record(
  body: (x: Tensor | Tensor[], recorder: Recorder) => unknown,
  inputs: readonly { readonly name: string; readonly shape: readonly number[] }[],
  backend: HeBackend,
  recorder: Recorder,
): TensorNode[] {
  engine().startScope('he trace');
  try {
    const tensors = inputs.map(({ name, shape }) => {
      if (sizeOf(shape) < 1) throw new HeError('GRAPH_INVALID', `input '${name}' is empty`, { hint: 'Give positive dimensions.' });
      recorder.label = name;
      const info = backend.wrap(recorder.input(name, shape));
      return engine().makeTensorFromTensorInfo(info);
    });
    const [only] = tensors;
    const result = body(tensors.length === 1 && only !== undefined ? only : tensors, recorder);
    return outputsOf(result).map((tensor) => {
      if (!backend.isEncrypted(tensor))
        throw new HeError('GRAPH_INVALID', 'an output does not depend on an encrypted input', {
          op: 'compile',
          hint: 'Compute it in the clear.',
        });
      return backend.nodeOf(tensor);
    });
  } finally {
    engine().endScope();
  }
}

function outputsOf(result: unknown): Tensor[] {
  const list: unknown[] = Array.isArray(result) ? result : [result];
  return list.map((item) => {
    if (!isTensor(item))
      throw new HeError('GRAPH_INVALID', 'the traced function does not return tensors', {
        op: 'compile',
        hint: 'Return a tensor or a list of tensors.',
      });
    return item;
  });
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value && 'dtype' in value;
}
