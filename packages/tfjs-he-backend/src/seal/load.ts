import initialize, { type MainModule } from 'node-seal';
import { HeError } from '../errors.js';
import { SUPPORTED_RUNTIMES, supportsSeal } from './support.js';

let loading: Promise<MainModule> | undefined;

function unsupported(what: string, cause?: unknown): HeError {
  return new HeError('RUNTIME_UNSUPPORTED', what, {
    op: 'load SEAL',
    hint: SUPPORTED_RUNTIMES,
    cause,
  });
}

/**
 * node-seal's module, instantiated once. Internal: the server side goes through evaluation.ts, the client side through
 * client/seal_module.ts, which narrow it to what each may use.
 * @throws HeError RUNTIME_UNSUPPORTED.
 */
export function loadSealModule(): Promise<MainModule> {
  if (!supportsSeal()) return Promise.reject(unsupported('this runtime lacks WebAssembly exception handling (exnref)'));
  // node-seal's own locateFile computes the file's address, which no bundler can follow; without it the module falls back on
  // new URL('seal_throws.wasm', import.meta.url), which all of them understand.
  loading ??= initialize({ locateFile: undefined }).catch((cause: unknown) => {
    loading = undefined;
    throw unsupported('the SEAL WebAssembly module did not load', cause);
  });
  return loading;
}
