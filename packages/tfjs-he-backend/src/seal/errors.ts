import { HeError, type HeErrorCode } from '../errors.js';

export interface CallContext {
  readonly op: string;
  readonly level?: number | undefined;
  readonly scale?: number | undefined;
}

interface Translation {
  readonly pattern: RegExp;
  readonly code: HeErrorCode;
  readonly hint: string;
}

const BUG = 'The engine checks this before calling SEAL, so please report it as a bug.';

const TRANSLATIONS: readonly Translation[] = [
  { pattern: /transparent/, code: 'TRANSPARENT_CIPHERTEXT', hint: 'Skip products with all-zero plaintexts and differences of equals.' },
  { pattern: /scale out of bounds/, code: 'SCALE_OUT_OF_BOUNDS', hint: 'Rescale first, or add primes to the chain.' },
  { pattern: /scale mismatch/, code: 'SCALE_MISMATCH', hint: BUG },
  { pattern: /parameter mismatch/, code: 'LEVEL_MISMATCH', hint: 'Switch both operands to the lower level first.' },
  { pattern: /end of modulus switching chain/, code: 'CHAIN_EXHAUSTED', hint: 'Refresh earlier, or add primes to the chain.' },
  { pattern: /Galois key not present/, code: 'MISSING_GALOIS_KEY', hint: 'Add the step to the manifest.' },
  { pattern: /deleted object/, code: 'HANDLE_RELEASED', hint: 'Use handles before disposing of them.' },
  {
    pattern: /bad_alloc|memory|unreachable|Aborted/,
    code: 'SEAL_FAILURE',
    hint: 'The WebAssembly heap (4 GB) is full: release handles, or use fewer keys.',
  },
];

/** SEAL's exceptions arrive as WebAssembly.Exception, whose `message` is [type, text]; embind's own are ordinary errors. */
function textOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) {
    return Array.isArray(error.message) ? error.message.join(': ') : String(error.message);
  }
  return String(error);
}

function translateSealError(error: unknown, context: CallContext): HeError {
  if (error instanceof HeError) return error;
  const text = textOf(error);
  const known = TRANSLATIONS.find(({ pattern }) => pattern.test(text));
  return new HeError(known?.code ?? 'SEAL_FAILURE', `SEAL says "${text}"`, {
    ...(context.level === undefined ? {} : { level: context.level }),
    ...(context.scale === undefined ? {} : { scale: context.scale }),
    op: context.op,
    hint: known?.hint ?? 'Please report it as a bug, with the parameters.',
    cause: error,
  });
}

/** Runs a call into SEAL; whatever it throws becomes a HeError. */
export function callSeal<T>(context: CallContext, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translateSealError(error, context);
  }
}
