import { createParameters } from '../parameters/parameters.js';
import { type Manifest, manifestParameters } from '../wire/manifest.js';
import type { Program } from './program.js';

/** What the client gets to see of a program. */
export function manifestOf(program: Program): Manifest {
  return {
    format: 'he-manifest',
    version: 1,
    parameters: manifestParameters(createParameters(program.parameters)),
    galoisSteps: program.galoisSteps,
    inputs: program.inputs.map((input) => input.layout),
    outputs: program.outputs.map((output) => output.layout),
    segments: program.segments.length,
    refreshes: program.segments.slice(0, -1).map((segment) => segment.refreshes.length),
  };
}
