import { engine, getBackend, ready, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { BACKEND_NAME, HeBackend } from '../backend/he_backend.js';
import { registerHeBackend } from '../backend/register.js';
import { HeError } from '../errors.js';
import { sizeOf, type TensorNode, topologicalOrder } from '../graph/node.js';
import type { Recorder } from '../graph/recorder.js';

/** A function of tensors. The type is that of a method so that parameters of a known rank (Tensor2D ...) are allowed. */
export type TensorFunction = { call(...inputs: Tensor[]): Tensor | Tensor[] }['call'];

/** Shapes of the encrypted inputs: one shape for a single input, else by name, in the order of a function's parameters. */
export interface InputShapes {
  readonly inputShape?: readonly number[] | undefined;
  readonly inputShapes?: Readonly<Record<string, readonly number[]>> | undefined;
}

/**
 * Records a model or a function as a tensor graph. A single input is called `input`; several have the names of the model's inputs or those of
 * `inputShapes`.
 * @throws HeError KERNEL_UNSUPPORTED, GRAPH_INVALID (neither of both, unknown dimensions or names).
 */
export async function trace(source: LayersModel | TensorFunction, shapes: InputShapes): Promise<TensorNode[]> {
  if (typeof source !== 'function' && !isModel(source)) {
    throw new HeError('GRAPH_INVALID', 'this is neither a LayersModel nor a function of tensors', {
      op: 'compile',
      hint: 'Wrap what else computes with tensors in a function, e.g. (x) => tf.matMul(x, weights).',
    });
  }
  if (typeof source !== 'function') return traceModel(source, shapes.inputShapes ?? shapes.inputShape);
  const named = shapes.inputShapes ?? (shapes.inputShape === undefined ? {} : { [SINGLE_INPUT]: shapes.inputShape });
  const inputs = Object.entries(named).map(([name, shape]) => ({ name, shape }));
  if (inputs.length === 0 || inputs.some(({ shape }) => !isKnown(shape))) {
    throw new HeError('GRAPH_INVALID', 'the shapes of the function inputs are not known', {
      op: 'compile',
      hint: 'Pass inputShape, e.g. [8, 4], or inputShapes by name, e.g. {x: [8, 4], y: [4]}.',
    });
  }
  return traceFunction((x) => source(...(Array.isArray(x) ? x : [x])), inputs);
}

/**
 * Records a model as a tensor graph: runs it once on the backend `he` with encrypted inputs. The active backend is restored; weights
 * stay where they are.
 * @param inputShapes with the batch; one shape for a model with one input, else by input name; default: the declared ones with 1 for the batch
 * @throws HeError KERNEL_UNSUPPORTED, GRAPH_INVALID (unknown dimensions or names).
 */
export async function traceModel(
  model: LayersModel,
  inputShapes: readonly number[] | Readonly<Record<string, readonly number[]>> = {},
): Promise<TensorNode[]> {
  const inputs = model.inputs.map(({ shape: declared }, i) => {
    const name = model.inputNames[i] ?? '';
    const given = isShape(inputShapes) ? inputShapes : inputShapes[name];
    const shape = given ?? declared.map((dimension, axis) => dimension ?? (axis === 0 ? 1 : 0));
    if (!isKnown(shape)) {
      throw new HeError('GRAPH_INVALID', `input shape [${shape.join(', ')}] of '${name}' is not fully known`, {
        op: 'compile',
        hint: 'Pass inputShape with the batch, e.g. [1, 32, 64], or inputShapes by input name.',
      });
    }
    return { name: model.inputs.length === 1 ? SINGLE_INPUT : name, shape };
  });
  const unknown = isShape(inputShapes) ? undefined : Object.keys(inputShapes).find((name) => !model.inputNames.includes(name));
  if (unknown !== undefined || (isShape(inputShapes) && inputs.length > 1)) {
    throw new HeError(
      'GRAPH_INVALID',
      unknown === undefined ? `the model has ${inputs.length} inputs` : `the model has no input '${unknown}'`,
      {
        op: 'compile',
        hint: `Pass inputShapes with the names ${model.inputNames.join(', ')}.`,
      },
    );
  }
  return traceFunction((x, recorder) => {
    const restore = labelLayers(model, recorder);
    try {
      return model.apply(x);
    } finally {
      restore();
    }
  }, inputs);
}

const SINGLE_INPUT = 'input';

/** Of callers without types: GraphModel and others that look alike have no `apply`. */
function isModel(source: unknown): boolean {
  return typeof source === 'object' && source !== null && 'inputs' in source && 'layers' in source && 'apply' in source;
}

function isShape(shapes: readonly number[] | Readonly<Record<string, readonly number[]>>): shapes is readonly number[] {
  return Array.isArray(shapes);
}

function isKnown(shape: readonly number[]): boolean {
  return shape.every((dimension) => Number.isInteger(dimension) && dimension >= 1);
}

/** Makes every layer announce its name when it runs. Call hooks would do, but a custom layer may leave them out. */
function labelLayers(model: LayersModel, recorder: Recorder): () => void {
  const restores = model.layers.map((layer) => {
    const { call } = layer;
    const own = Object.getOwnPropertyDescriptor(layer, 'call');
    layer.call = (inputs, kwargs) => {
      recorder.label = layer.name;
      return call.call(layer, inputs, kwargs);
    };
    return () => {
      // Mostly what remains is the method of the prototype.
      Reflect.deleteProperty(layer, 'call');
      if (own !== undefined) Object.defineProperty(layer, 'call', own);
    };
  });
  return () => {
    for (const restore of restores) restore();
  };
}

/** The end of the recording under way: tfjs has one backend at a time. */
let recording: Promise<unknown> = Promise.resolve();

/** Records any function of one or several encrypted tensors; one after the other if several are asked for at once. */
export function traceFunction(
  body: (x: Tensor | Tensor[], recorder: Recorder) => unknown,
  inputs: readonly { readonly name: string; readonly shape: readonly number[] }[],
): Promise<TensorNode[]> {
  const result = recording.then(() => recordOnBackend(body, inputs));
  recording = result.catch(() => undefined);
  return result;
}

async function recordOnBackend(
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
    const declared = new Set(tensors.map((tensor) => backend.nodeOf(tensor)));
    const [only] = tensors;
    const result = body(tensors.length === 1 && only !== undefined ? only : tensors, recorder);
    const outputs = outputsOf(result).map((tensor) => {
      if (!backend.isEncrypted(tensor))
        throw new HeError('GRAPH_INVALID', 'an output does not depend on an encrypted input', {
          op: 'compile',
          hint: 'Compute it in the clear.',
        });
      return backend.nodeOf(tensor);
    });
    if (topologicalOrder(outputs).some((node) => node.kind === 'input' && !declared.has(node))) {
      throw new HeError('GRAPH_INVALID', 'the function uses an encrypted tensor that is not one of its inputs', {
        op: 'compile',
        hint: 'Pass it as an input.',
      });
    }
    return outputs;
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
