/** What every error of this package carries besides its message. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | readonly number[] | readonly string[]>>;

export type PowerSoftmaxErrorCode = 'INVALID_ARGUMENT' | 'UNSUPPORTED_LAYER' | 'APPROXIMATION_FAILED' | 'OUT_OF_INTERVAL';

/**
 * Base of the closed set of errors thrown by this package. `code` is stable across versions, `context` holds the values that led to the
 * error, and the message ends with what to try next.
 */
export abstract class PowerSoftmaxError extends Error {
  abstract readonly code: PowerSoftmaxErrorCode;

  constructor(
    message: string,
    readonly context: ErrorContext,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** An argument or layer configuration is outside its documented range. */
export class InvalidArgumentError extends PowerSoftmaxError {
  override readonly code = 'INVALID_ARGUMENT';
}

/** `toPolynomial` met a layer that it cannot express as a polynomial. */
export class UnsupportedLayerError extends PowerSoftmaxError {
  override readonly code = 'UNSUPPORTED_LAYER';
}

/** No polynomial of the permitted degree reaches the accuracy asked for, or the Remez exchange did not converge. */
export class ApproximationError extends PowerSoftmaxError {
  override readonly code = 'APPROXIMATION_FAILED';
}

/** A polynomial was evaluated outside the interval on which it approximates its function. */
export class IntervalError extends PowerSoftmaxError {
  override readonly code = 'OUT_OF_INTERVAL';
}
