import initialize, { type MainModule } from 'node-seal';
import { HeError } from '../errors.js';

// A module with one function that has a local of type exnref: valid exactly where final WebAssembly exception handling exists.
const EXNREF_PROBE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 1, 1, 0x69, 11);

let loading: Promise<MainModule> | undefined;

function unsupported(what: string, cause?: unknown): HeError {
  return new HeError('RUNTIME_UNSUPPORTED', what, {
    op: 'load SEAL',
    hint: 'Use Node 22 or later, Chrome or Edge 137, Firefox 131 or Safari 18.4',
    cause,
  });
}

/** Whether this runtime can run node-seal 7. */
export function supportsSeal(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(EXNREF_PROBE);
}

/**
 * node-seal's module, instantiated once. Internal: the server side goes through evaluation.ts, the client side through
 * client/seal_module.ts, which narrow it to what each may use.
 * @throws HeError RUNTIME_UNSUPPORTED.
 */
export function loadSealModule(): Promise<MainModule> {
  if (!supportsSeal()) return Promise.reject(unsupported('this runtime lacks WebAssembly exception handling (exnref)'));
  loading ??= initialize().catch((cause: unknown) => {
    loading = undefined;
    throw unsupported('the SEAL WebAssembly module did not load', cause);
  });
  return loading;
}
