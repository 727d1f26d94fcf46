import { SUPPORTED_RUNTIMES, supportsSeal } from './seal/support.js';

/** One line for who imports the package on a runtime that is too old; null where everything works. */
export function runtimeNotice(supported: boolean): string | null {
  return supported
    ? null
    : `tfjs-he-backend cannot compute on ciphertexts here: no WebAssembly exception handling (exnref). ${SUPPORTED_RUNTIMES}.`;
}

const notice = runtimeNotice(supportsSeal());
if (notice !== null) console.warn(notice);
