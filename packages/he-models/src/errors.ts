export type HeModelsErrorCode =
  | 'UNKNOWN_MODEL'
  | 'EMPTY_TEXT'
  | 'TEXT_TOO_LONG'
  | 'ASSET_CORRUPT'
  | 'DATA_INVALID'
  | 'CHECKPOINT_INVALID'
  | 'USAGE';

/** What every error of this package carries besides its message. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * Base of the closed set of errors thrown by this package. `code` is stable across versions, `context` holds the values that led to the
 * error, and the message ends with what to try next.
 */
export abstract class HeModelsError extends Error {
  abstract readonly code: HeModelsErrorCode;

  constructor(
    message: string,
    readonly context: ErrorContext = {},
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** `fromPretrained` was asked for a model that this package does not ship. */
export class UnknownModelError extends HeModelsError {
  override readonly code = 'UNKNOWN_MODEL';
}

/** The text has no tokens. */
export class EmptyTextError extends HeModelsError {
  override readonly code = 'EMPTY_TEXT';
}

/** The text has more tokens than the model has positions. */
export class TextTooLongError extends HeModelsError {
  override readonly code = 'TEXT_TOO_LONG';
}

/** A file of a shipped model is missing, truncated or differs from its recorded digest. */
export class AssetError extends HeModelsError {
  override readonly code = 'ASSET_CORRUPT';
}

/** A data set on disk is missing or not in its documented format. */
export class DataError extends HeModelsError {
  override readonly code = 'DATA_INVALID';
}

/** A training checkpoint is unreadable or belongs to another run. */
export class CheckpointError extends HeModelsError {
  override readonly code = 'CHECKPOINT_INVALID';
}

/** A command line that the training or evaluation command does not understand. */
export class UsageError extends HeModelsError {
  override readonly code = 'USAGE';
}
