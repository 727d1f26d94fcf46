const USAGE = 2;
const INTERRUPTED = 130;

/**
 * Writes an expected failure as one line and gives the exit code: 2 for a command line that is not understood, 130 when interrupted, otherwise 1. Expected failures, of this
 * package, of those below and of the system, carry a code, and say what to do; anything else is thrown on.
 */
export function tellFailure(error: unknown, write: (line: string) => void): number {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (!(error instanceof Error) || typeof code !== 'string') throw error;
  write(`error: ${error.message.replaceAll('\n', ' ')}\n`);
  if (code === 'USAGE') return USAGE;
  return code === 'INTERRUPTED' ? INTERRUPTED : 1;
}
