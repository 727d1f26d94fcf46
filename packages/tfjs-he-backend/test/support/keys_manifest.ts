import type { Manifest, ManifestParameters } from '../../src/wire/manifest.js';

/** A manifest of no program, for clients whose keys engines are opened with in tests and benchmarks: one value goes in, and one comes out. */
export function keysManifest(parameters: ManifestParameters, galoisSteps: readonly number[]): Manifest {
  const layout = { name: 'x', shape: [1], ciphertexts: 1, slotOf: [0], period: parameters.polyModulusDegree / 2 };
  return { format: 'he-manifest', version: 1, parameters, galoisSteps, inputs: [layout], outputs: [layout], segments: 1, refreshes: [] };
}
