import { enableProdMode } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { compile, profile } from 'tfjs-he-backend';
import type { HeMetadata } from '../pretrained/config.js';

/** The compiler's defaults, written down so that a model's figures stay reproducible when they change. */
const PARAMETERS: HeMetadata['parameters'] = { securityBits: 128, precisionBits: 12, valueBits: 6 };

/** Parameters that a new model is compiled with, and the depth that results. @throws HeError if it cannot be compiled */
export async function heDefaults(
  model: LayersModel,
  parameters: HeMetadata['parameters'] = PARAMETERS,
): Promise<Pick<HeMetadata, 'depth' | 'parameters'>> {
  enableProdMode(); // the compiler's backend would advertise tfjs' native package on the console
  return { depth: profile(await compile(model, parameters)).depth, parameters };
}
