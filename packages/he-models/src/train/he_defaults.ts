import { enableProdMode } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type CompileOptions, compile, type Program, profile } from 'tfjs-he-backend';
import type { HeMetadata } from '../pretrained/config.js';
import { type PlanFigures, planFigures } from '../use/plan_figures.js';

/** The compiler's defaults, written down so that a model's figures stay reproducible when they change. */
const PARAMETERS: HeMetadata['parameters'] = { securityBits: 128, precisionBits: 12, valueBits: 6 };

type Defaults = Pick<HeMetadata, 'depth' | 'parameters'>;

/** Parameters that a new model is compiled with, and the depth that results. @throws HeError if it cannot be compiled */
export async function heDefaults(model: LayersModel, parameters: HeMetadata['parameters'] = PARAMETERS): Promise<Defaults> {
  return (await compiledDefaults(model, parameters)).defaults;
}

export interface CompiledDefaults {
  readonly program: Program;
  readonly defaults: Defaults;
  readonly plan: PlanFigures;
}

/**
 * The same, and what the compiled model takes.
 *
 * @param state of a model that runs in a sequence: outputs by the inputs of the next run that they are
 * @throws HeError if it cannot be compiled
 */
export async function compiledDefaults(
  model: LayersModel,
  parameters: HeMetadata['parameters'] = PARAMETERS,
  state?: CompileOptions['state'],
): Promise<CompiledDefaults> {
  enableProdMode(); // the compiler's backend would advertise tfjs' native package on the console
  const [, tokens = 1] = model.inputs[0]?.shape ?? [];
  const program = await compile(model, { ...parameters, ...(state === undefined ? {} : { state }) });
  const plan = planFigures(profile(program), tokens ?? 1);
  return { program, defaults: { depth: plan.depth, parameters }, plan };
}
