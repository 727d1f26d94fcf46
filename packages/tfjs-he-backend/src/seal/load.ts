import initialize, { type MainModule } from 'node-seal';
import { HeError } from '../errors.js';
import { SUPPORTED_RUNTIMES, supportsSeal } from './support.js';

let loading: Promise<MainModule> | undefined;

const MISSING_FILE = "In a bundle, serve node-seal's dist/seal_throws.wasm beside the script that loads it: esbuild does not copy it";

function unsupported(what: string, hint: string, cause?: unknown): HeError {
  return new HeError('RUNTIME_UNSUPPORTED', what, { op: 'load SEAL', hint, cause });
}

/**
 * node-seal's module, instantiated once. Internal: the server side goes through evaluation.ts, the client side through
 * client/seal_module.ts, which narrow it to what each may use.
 * @throws HeError RUNTIME_UNSUPPORTED.
 */
export function loadSealModule(): Promise<MainModule> {
  if (!supportsSeal()) return Promise.reject(unsupported('this runtime lacks WebAssembly exception handling (exnref)', SUPPORTED_RUNTIMES));
  // node-seal's own locateFile computes the file's address, which no bundler can follow; without it the module falls back on
  // new URL('seal_throws.wasm', import.meta.url), which Vite and webpack follow; esbuild needs the file copied.
  loading ??= initialize({ locateFile: undefined }).catch((cause: unknown) => {
    loading = undefined;
    throw unsupported('the SEAL WebAssembly module did not load', MISSING_FILE, cause);
  });
  return loading;
}
