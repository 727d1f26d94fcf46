export type HeModelsErrorCode =
  | 'UNKNOWN_MODEL'
  | 'UNKNOWN_TASK'
  | 'MODEL_UNAVAILABLE'
  | 'EMPTY_TEXT'
  | 'TEXT_TOO_LONG'
  | 'TEXT_UNKNOWN'
  | 'INPUT_INVALID'
  | 'NOT_CONNECTED'
  | 'ASSET_CORRUPT'
  | 'DATA_INVALID'
  | 'CHECKPOINT_INVALID'
  | 'OUTPUT_REFUSED'
  | 'PACKAGE_MISSING'
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

/** No model of this package, folder or address goes by that name. */
export class UnknownModelError extends HeModelsError {
  override readonly code = 'UNKNOWN_MODEL';
}

/** There is no such task, or the model is for another one. */
export class UnknownTaskError extends HeModelsError {
  override readonly code = 'UNKNOWN_TASK';
}

/** A model's file cannot be read or fetched. */
export class ModelUnavailableError extends HeModelsError {
  override readonly code = 'MODEL_UNAVAILABLE';
}

/** The text has no tokens. */
export class EmptyTextError extends HeModelsError {
  override readonly code = 'EMPTY_TEXT';
}

/** The text has more tokens than the model has positions. */
export class TextTooLongError extends HeModelsError {
  override readonly code = 'TEXT_TOO_LONG';
}

/** The tokenizer knows nothing of the text, a language it was not made for say. */
export class UnknownTextError extends HeModelsError {
  override readonly code = 'TEXT_UNKNOWN';
}

/** An input of the wrong kind or length, or with values that are not finite. */
export class InputError extends HeModelsError {
  override readonly code = 'INPUT_INVALID';
}

/** Encryption was asked for before the client had keys, or of a pipeline that has been disposed of. */
export class NotConnectedError extends HeModelsError {
  override readonly code = 'NOT_CONNECTED';
}

/** A file of a model is missing, truncated or differs from its recorded digest. */
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

/** The system refuses to write a result: no space, no permission, or something else is in the way. Nothing half-written is left. */
export class OutputError extends HeModelsError {
  override readonly code = 'OUTPUT_REFUSED';
}

/** A package that only some of the commands need is not installed. */
export class PackageMissingError extends HeModelsError {
  override readonly code = 'PACKAGE_MISSING';
}

/** A command line that a command does not understand. */
export class UsageError extends HeModelsError {
  override readonly code = 'USAGE';
}
