import type { EngineRuntime } from '../engines/runtime.js';
import { HeError, type HeErrorCode } from '../errors.js';
import type { ValueKey } from './schedule.js';

/** Names an evaluation of one segment. */
export type JobId = number;
/** Names a client's keys, which all workers hold. */
export type SessionId = number;

/** Most bytes in the WebAssembly memory of a thread, of what may give way. */
export interface MemoryLimits {
  /** Encoded constants. */
  readonly constants: number;
  /** Keys of all sessions. */
  readonly keys: number;
}

/** A ciphertext between our threads, as bytes. */
export interface ValueMessage {
  readonly type: 'value';
  readonly job: JobId;
  readonly key: ValueKey;
  readonly bytes: Uint8Array;
  readonly level: number;
  readonly scale: number;
}

/** From the pool: what to set up, and what to compute. init, prepare and open are replied to, in order. */
export type ToWorker =
  | {
      readonly type: 'init';
      readonly engine: EngineRuntime['name'];
      readonly program: Uint8Array;
      readonly index: number;
      readonly count: number;
      readonly seed: number;
      readonly limits?: MemoryLimits;
    }
  | { readonly type: 'prepare' }
  | { readonly type: 'open'; readonly session: SessionId; readonly keys: Uint8Array }
  | { readonly type: 'close'; readonly session: SessionId }
  | { readonly type: 'segment'; readonly job: JobId; readonly session: SessionId; readonly segment: number }
  | { readonly type: 'cancel'; readonly job: JobId }
  | ValueMessage;

/** From a worker: replies, values for other workers or home, and how far a job is. */
export type FromWorker =
  /** Answer to init, prepare or open; without an error, it went well. */
  | { readonly type: 'reply'; readonly error?: ErrorMessage }
  /** One operation, at `position` of the segment, done. */
  | { readonly type: 'step'; readonly job: JobId; readonly position: number; readonly ms: number }
  /** The worker has nothing more to do with the job. */
  | { readonly type: 'end'; readonly job: JobId; readonly error?: ErrorMessage }
  | (ValueMessage & { readonly to: number });

/** Either side of a channel between threads. */
export interface Port<Out, In> {
  post(message: Out, transfer?: readonly ArrayBuffer[]): void;
  listen(receive: (message: In) => void): void;
}

/** An error that survives structured cloning. */
export interface ErrorMessage {
  readonly code: HeErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly op?: string;
  readonly level?: number;
  readonly scale?: number;
}

/** What of an error goes to another thread; of one that is not ours, its text. */
export function errorMessage(error: unknown): ErrorMessage {
  if (!(error instanceof HeError)) {
    return { code: 'WORKER_FAILED', message: `WORKER_FAILED: ${String(error)}`, hint: 'Please report it as a bug.' };
  }
  const { code, message, hint, op, level, scale } = error;
  return {
    code,
    message,
    hint,
    ...(op === undefined ? {} : { op }),
    ...(level === undefined ? {} : { level }),
    ...(scale === undefined ? {} : { scale }),
  };
}

/** The error that {@link errorMessage} was made of. */
export function errorFrom({ code, message, ...context }: ErrorMessage): HeError {
  const error = new HeError(code, message, context);
  error.message = message; // it has code, place and hint in it already
  return error;
}
