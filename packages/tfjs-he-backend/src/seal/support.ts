// A module with one function that has a local of type exnref: valid exactly where final WebAssembly exception handling exists.
const EXNREF_PROBE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 1, 1, 0x69, 11);

export const SUPPORTED_RUNTIMES = 'Use Node 22 or later, Chrome or Edge 137, Firefox 131 or Safari 18.4';

/** Whether this runtime can run node-seal 7. */
export function supportsSeal(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(EXNREF_PROBE);
}
