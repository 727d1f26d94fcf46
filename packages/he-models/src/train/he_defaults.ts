import { enableProdMode } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { compile, type Program, profile } from 'tfjs-he-backend';
import type { HeMetadata } from '../pretrained/config.js';
import { type PlanFigures, planFigures } from '../use/plan_figures.js';

/** The compiler's defaults, written down so that a model's figures stay reproducible when they change. */
const PARAMETERS: HeMetadata['parameters'] = { securityBits: 128, precisionBits: 12, valueBits: 6 };

type Defaults = Pick<HeMetadata, 'depth' | 'parameters'>;

/** Parameters that a new model is compiled with, and the depth that results. @throws HeError if it cannot be compiled */
export async function heDefaults(model: LayersModel, parameters: HeMetadata['parameters'] = PARAMETERS): Promise<Defaults> {
  return (await compiledDefaults(model, parameters)).defaults;
}

/** The same, and what the compiled model takes. @throws HeError if it cannot be compiled */
export async function compiledDefaults(
  model: LayersModel,
  parameters: HeMetadata['parameters'] = PARAMETERS,
): Promise<{ readonly program: Program; readonly defaults: Defaults; readonly plan: PlanFigures }> {
  enableProdMode(); // the compiler's backend would advertise tfjs' native package on the console
  const [, tokens = 1] = model.inputs[0]?.shape ?? [];
  const program = await compile(model, parameters);
  const plan = planFigures(profile(program), tokens ?? 1);
  return { program, defaults: { depth: plan.depth, parameters }, plan };
}
