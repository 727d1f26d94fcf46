import { createParameters } from '../parameters/parameters.js';
import { type Manifest, manifestParameters } from '../wire/manifest.js';
import { type Program, sentInputs, sentOutputs } from './program.js';

/** What the client gets to see of a program. */
export function manifestOf(program: Program): Manifest {
  const state = (program.state ?? []).flatMap(({ input }) => program.inputs[input]?.layout ?? []);
  return {
    format: 'he-manifest',
    version: sentInputs(program).some(({ layout }) => layout.copies !== undefined) ? 3 : state.length === 0 ? 1 : 2,
    parameters: manifestParameters(createParameters(program.parameters)),
    galoisSteps: program.galoisSteps,
    inputs: sentInputs(program).map((input) => input.layout),
    outputs: sentOutputs(program).map((output) => output.layout),
    ...(state.length === 0 ? {} : { state }),
    segments: program.segments.length,
    refreshes: program.segments.slice(0, -1).map((segment) => segment.refreshes.length),
  };
}
