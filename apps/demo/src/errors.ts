/** Every way in which the demo fails on purpose, on either side; also the codes that cross the wire. */
export type DemoErrorCode =
  | 'USAGE'
  | 'NODE_TOO_OLD'
  | 'PORT_IN_USE'
  | 'SERVER_START'
  | 'SERVER_DIED'
  | 'SERVER_UNREACHABLE'
  | 'SERVER_REFUSED'
  | 'ENGINE_MISMATCH'
  | 'TIMEOUT'
  | 'INTERRUPTED'
  | 'PROTOCOL'
  | 'UNKNOWN_MODEL'
  | 'UNKNOWN_ROUTE'
  | 'UNKNOWN_SESSION'
  | 'UNKNOWN_RUN'
  | 'SESSION_BUSY'
  | 'SERVER_BUSY'
  | 'KEYS_SIZE';

/** Exit code for a command line that is not understood. */
export const EXIT_USAGE = 2;

/** The demo's one error class. The message is one line and ends with what to try next. */
export class DemoError extends Error {
  constructor(
    readonly code: DemoErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'DemoError';
  }
}

/** One line for a terminal or a peer, without stack trace. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

/** `code` of any error that carries one (ours, tfjs-he-backend's, he-models', Node's). */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
