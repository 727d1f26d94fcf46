import { HeError } from '../errors.js';

/** What `body` returns, or the COMPILE_FAILED that it throws: the compiler goes on with other parameters. */
export function attempt<T>(body: () => T): T | HeError {
  try {
    return body();
  } catch (error) {
    if (error instanceof HeError && error.code === 'COMPILE_FAILED') return error;
    throw error;
  }
}
