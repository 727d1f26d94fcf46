import { concat, pad, slice, split, Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type CompileControl, compile } from '../compiler/compile.js';
import type { CompileOptions } from '../compiler/options.js';
import { type TensorFunction, trace } from '../compiler/trace.js';
import { HeError } from '../errors.js';
import { checkDeclaredIntervals, declaringNodes } from '../graph/declared_intervals.js';
import type { Program } from '../program/program.js';
import { type BatchOption, compileBatch } from './batch.js';
import type { EagerControl, LocalSession } from './local_session.js';

const FHE_MODES = ['disable', 'simulate', 'execute'] as const;

/** `disable`: in the clear, as tfjs does; `simulate`: the compiled program on the mock engine; `execute`: on ciphertexts. */
export type FheMode = (typeof FHE_MODES)[number];

/** How a model is compiled, and where it runs. */
export interface RunnerOptions extends Omit<CompileOptions, 'engine'>, EagerControl {
  readonly fhe: FheMode;
  /** What `execute` runs on (default `seal`). */
  readonly engine?: 'seal' | 'simd' | undefined;
  /**
   * Of a model: inputs packed into one run, or `auto` for as many as make it cheaper by the input, i.e. as fit into the ciphertexts of one (default: the first dimension of the input
   * shape, 1 unless given).
   */
  readonly batch?: BatchOption | undefined;
}

/** One model, called the same way in every mode. */
export interface Runner {
  readonly fhe: FheMode;
  /** What runs; null in mode `disable`. */
  readonly program: Program | null;
  /**
   * Outputs for plaintext inputs, one tensor or a list as the model has them. More inputs than one run takes are dealt to several runs, fewer are filled up with zeros.
   * @throws HeError ENCODE_INVALID (shapes, values that are not finite), VALUE_OVERFLOW (in mode `simulate`: values leave the interval of a polynomial, which is named), ABORTED, and those of
   *   the engine.
   */
  predict(inputs: Tensor | readonly Tensor[], control?: EagerControl): Promise<Tensor | Tensor[]>;
  /** Releases keys and engines. */
  dispose(): void;
}

/**
 * Prepares a model or function for predictions: compiles it and makes keys, unless `fhe` is `disable`. Client and server live in this process:
 * for trying out what a deployment with createClient and createServer will do.
 * @throws HeError KERNEL_UNSUPPORTED, COMPILE_FAILED, PARAMETERS_INVALID, GRAPH_INVALID, ABORTED, RUNTIME_UNSUPPORTED.
 */
export async function runner(source: LayersModel | TensorFunction, options: RunnerOptions): Promise<Runner> {
  const { fhe, engine = 'seal', batch, onProgress, signal, ...compileOptions } = options;
  if (!FHE_MODES.includes(fhe)) {
    throw new HeError('PARAMETERS_INVALID', `no mode fhe: '${fhe}'`, { op: 'runner', hint: `Use ${FHE_MODES.join(', ')}.` });
  }
  if (batch !== undefined && typeof source === 'function') {
    throw new HeError('PARAMETERS_INVALID', 'a function has no batch', {
      op: 'runner',
      hint: 'Give the shapes of its inputs with the batch in them.',
    });
  }
  if (fhe === 'disable') {
    return { fhe, program: null, predict: async (inputs) => tidy(() => inTheClear(source, inputs)), dispose() {} };
  }
  const settings: CompileOptions & CompileControl = {
    ...compileOptions,
    engine,
    onProgress: (done, total) => onProgress?.({ type: 'compile', done, total }),
    ...(signal === undefined ? {} : { signal }),
  };
  const program = await (batch === undefined || typeof source === 'function'
    ? compile(source, settings)
    : compileBatch(source, batch, settings));
  const check = fhe === 'simulate' ? await intervalCheck(source, program, compileOptions) : undefined;
  const { openLocalSession } = await import('./local_session.js');
  const session = await openLocalSession(program, fhe === 'simulate' ? 'mock' : engine, { onProgress, signal });
  const batched = typeof source !== 'function';
  return {
    fhe,
    program,
    predict: (inputs, control) => predict(session, batched, listOf(inputs), control, check),
    dispose: () => session.dispose(),
  };
}

/** Refuses values that leave a declared interval. */
type IntervalCheckOf = (inputs: ReadonlyMap<string, ArrayLike<number>>) => void;

/** Undefined where no operation declares an interval. */
async function intervalCheck(
  source: LayersModel | TensorFunction,
  { inputs }: Program,
  options: CompileOptions,
): Promise<IntervalCheckOf | undefined> {
  const shapes = Object.fromEntries(inputs.map(({ layout }) => [layout.name, layout.shape]));
  const [only] = inputs;
  const isSingle = inputs.length === 1 && only !== undefined && options.inputShapes === undefined;
  const graph = await trace(source, isSingle ? { inputShape: only.layout.shape } : { inputShapes: shapes });
  if (declaringNodes(graph).length === 0) return undefined;
  return (values) => {
    const breach = checkDeclaredIntervals(graph, values).find(({ outside }) => outside > 0);
    if (breach === undefined) return;
    const { layer, op, interval, range, outside, count } = breach;
    const [from, to, low, high] = [...range, ...interval].map((value) => value.toPrecision(4));
    throw new HeError(
      'VALUE_OVERFLOW',
      `${outside} of ${count} values of '${layer}' leave the interval [${low}, ${high}]: they go from ${from} to ${to}`,
      {
        op,
        hint: 'Widen the interval, or train the range to be narrower. On ciphertexts the result would be wrong without notice.',
      },
    );
  };
}

function inTheClear(source: LayersModel | TensorFunction, inputs: Tensor | readonly Tensor[]): Tensor | Tensor[] {
  const list = listOf(inputs);
  return typeof source === 'function' ? source(...list) : source.predict(list);
}

function listOf(inputs: Tensor | readonly Tensor[]): Tensor[] {
  return 'dataId' in inputs ? [inputs] : [...inputs];
}

async function predict(
  session: LocalSession,
  batched: boolean,
  inputs: readonly Tensor[],
  control: EagerControl | undefined,
  check: IntervalCheckOf | undefined,
): Promise<Tensor | Tensor[]> {
  if (!inputs.every((x) => x instanceof Tensor)) {
    throw new HeError('ENCODE_INVALID', 'an input is no tensor', { op: 'predict', hint: 'Make one, e.g. tf.tensor(values, shape).' });
  }
  const batch = session.manifest.inputs[0]?.shape[0] ?? 1;
  const rows = inputs[0]?.shape[0] ?? 1;
  const runs = batched ? Math.max(1, Math.ceil(rows / batch)) : 1;
  const missing = batched ? runs * batch - rows : 0;
  const perInput = inputs.map((x) => tidy(() => (batched ? split(filled(x, missing), runs, 0) : [x.clone()])));
  const results: Tensor[][] = [];
  try {
    for (let row = 0; row < runs; row++) {
      results.push(
        await predictOne(
          session,
          perInput.flatMap((parts) => parts[row] ?? []),
          control,
          check,
        ),
      );
    }
    const outputs = session.manifest.outputs.map((_, i) =>
      tidy(() => shortened(joined(results.flatMap((result) => result[i] ?? [])), missing)),
    );
    const [only, ...more] = outputs;
    return only !== undefined && more.length === 0 ? only : outputs;
  } finally {
    for (const parts of perInput) for (const part of parts) part.dispose();
    for (const result of results) for (const part of result) part.dispose();
  }
}

/** With so many rows of zeros more, for a last run that is not full. */
function filled(x: Tensor, rows: number): Tensor {
  return rows === 0 ? x : pad(x, [[0, rows], ...x.shape.slice(1).map((): [number, number] => [0, 0])]);
}

/** Without the rows that were filled in. */
function shortened(x: Tensor, rows: number): Tensor {
  return rows === 0 ? x : slice(x, 0, (x.shape[0] ?? rows) - rows);
}

/** Rows of a batch in one tensor. */
function joined(rows: readonly Tensor[]): Tensor {
  const [first, second] = rows;
  return first !== undefined && second === undefined ? first.clone() : concat([...rows], 0);
}

async function predictOne(
  session: LocalSession,
  inputs: readonly Tensor[],
  control: EagerControl | undefined,
  check: IntervalCheckOf | undefined,
): Promise<Tensor[]> {
  const layouts = session.manifest.inputs;
  const values = new Map<string, ArrayLike<number>>();
  for (const [i, { name, shape }] of layouts.entries()) {
    const x = inputs[i];
    if (x === undefined || inputs.length !== layouts.length || x.shape.join() !== shape.join()) {
      const given = inputs.map((t) => `[${t.shape.join(', ')}]`).join(', ');
      throw new HeError('ENCODE_INVALID', `inputs of shapes ${given} do not fit the program`, {
        op: 'predict',
        hint: `Give ${layouts.map((layout) => `'${layout.name}' [${layout.shape.join(', ')}]`).join(', ')}.`,
      });
    }
    values.set(name, await x.data());
  }
  check?.(values);
  const outputs = await session.run(values, control);
  return outputs.map((output, i) => tensor(output, [...(session.manifest.outputs[i]?.shape ?? [])]));
}
