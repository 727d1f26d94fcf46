import { enableProdMode } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type CompileOptions, compile, type Program, profile } from 'tfjs-he-backend';
import type { HeMetadata } from '../pretrained/config.js';
import { type PlanFigures, planFigures } from '../use/plan_figures.js';

/**
 * The compiler's defaults, written down so that a model's figures stay reproducible when they change.
 *
 * @param valueBits log2 of the largest value at a refresh
 */
export function parametersFor(valueBits = 6, precisionBits = 12): HeMetadata['parameters'] {
  return { securityBits: 128, precisionBits, valueBits };
}

type Defaults = Pick<HeMetadata, 'depth' | 'parameters'>;

/** Parameters that a new model is compiled with, and the depth that results. @throws as {@link compiledDefaults} */
export async function heDefaults(model: LayersModel, options: CompiledDefaultsOptions = {}): Promise<Defaults> {
  return (await compiledDefaults(model, options)).defaults;
}

export interface CompiledDefaultsOptions {
  /** Default: {@link parametersFor} values of up to 2^6. */
  readonly parameters?: HeMetadata['parameters'];
  /** Of a model that runs in a sequence: outputs by the inputs of the next run that they are. */
  readonly state?: CompileOptions['state'];
  readonly signal?: AbortSignal | undefined;
}

export interface CompiledDefaults {
  readonly program: Program;
  readonly defaults: Defaults;
  readonly plan: PlanFigures;
}

/** The same, and what the compiled model takes. @throws HeError if it cannot be compiled, or the reason of an aborted signal */
export async function compiledDefaults(
  model: LayersModel,
  { parameters = parametersFor(), state, signal }: CompiledDefaultsOptions = {},
): Promise<CompiledDefaults> {
  enableProdMode(); // the compiler's backend would advertise tfjs' native package on the console
  const [, tokens = 1] = model.inputs[0]?.shape ?? [];
  const options = { ...parameters, ...(state === undefined ? {} : { state }), ...(signal === undefined ? {} : { signal }) };
  const program = await compile(model, options).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
  const plan = planFigures(profile(program), tokens ?? 1);
  return { program, defaults: { depth: plan.depth, parameters }, plan };
}
