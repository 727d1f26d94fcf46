/** Every way in which this package fails on purpose. Messages and contexts never contain data, keys or residues; those of the engine mock say how large a value was. */
export type HeErrorCode =
  // parameters
  | 'PARAMETERS_INVALID'
  | 'PARAMETERS_INSECURE'
  | 'PARAMETERS_MASK_SLACK'
  | 'PARAMETERS_NO_PRIMES'
  // evaluation
  | 'LEVEL_MISMATCH'
  | 'LEVEL_OUT_OF_RANGE'
  | 'SCALE_MISMATCH'
  | 'SCALE_OUT_OF_BOUNDS'
  | 'CHAIN_EXHAUSTED'
  | 'SIZE_UNSUPPORTED'
  | 'MISSING_GALOIS_KEY'
  | 'MISSING_RELINEARIZATION_KEY'
  | 'TRANSPARENT_CIPHERTEXT'
  | 'VALUE_OVERFLOW'
  | 'ENCODE_INVALID'
  | 'MASK_MISMATCH'
  | 'HANDLE_RELEASED'
  // bytes from the other side
  | 'WIRE_TRUNCATED'
  | 'WIRE_MALFORMED'
  | 'WIRE_UNSUPPORTED'
  | 'WIRE_PARAMETERS_MISMATCH'
  | 'WIRE_RESIDUE_RANGE'
  | 'WIRE_LEVEL'
  | 'MANIFEST_INVALID'
  // environment
  | 'RUNTIME_UNSUPPORTED'
  | 'MEMORY_BUDGET'
  | 'SEAL_FAILURE'
  | 'WORKER_FAILED'
  | 'ABORTED'
  | 'RUN_UNAVAILABLE'
  // tracing and compiling
  | 'KERNEL_UNSUPPORTED'
  | 'READ_ENCRYPTED'
  | 'GRAPH_INVALID'
  | 'COMPILE_FAILED'
  | 'PROGRAM_INVALID';

export interface HeErrorContext {
  /** What to try next, one sentence. */
  readonly hint: string;
  /** Name of the engine operation, kernel or compiler pass. */
  readonly op?: string;
  /** Level of the (first) operand. */
  readonly level?: number;
  /** Scale of the (first) operand. */
  readonly scale?: number;
  readonly cause?: unknown;
}

/** The one error class of this package: branch on {@link HeError.code}. */
export class HeError extends Error {
  readonly code: HeErrorCode;
  readonly hint: string;
  readonly op: string | undefined;
  readonly level: number | undefined;
  readonly scale: number | undefined;

  constructor(code: HeErrorCode, message: string, context: HeErrorContext) {
    const where = [
      context.op === undefined ? undefined : `op ${context.op}`,
      context.level === undefined ? undefined : `level ${context.level}`,
      context.scale === undefined ? undefined : `scale 2^${Math.log2(context.scale).toFixed(3)}`,
    ].filter((part) => part !== undefined);
    const place = where.length > 0 ? ` (${where.join(', ')})` : '';
    super(`${code}: ${message}${place}. ${context.hint}`, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = 'HeError';
    this.code = code;
    this.hint = context.hint;
    this.op = context.op;
    this.level = context.level;
    this.scale = context.scale;
  }
}

/** What to do about an error that is no fault of the user. */
export const BUG_HINT = 'This is a bug of tfjs-he-backend.';
