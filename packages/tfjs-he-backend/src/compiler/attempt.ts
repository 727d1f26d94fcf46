import { BUG_HINT, HeError } from '../errors.js';

/** What `body` returns, or the COMPILE_FAILED that it throws: the compiler goes on with other parameters. A bug is no reason to. */
export function attempt<T>(body: () => T): T | HeError {
  try {
    return body();
  } catch (error) {
    if (error instanceof HeError && error.code === 'COMPILE_FAILED' && error.hint !== BUG_HINT) return error;
    throw error;
  }
}
