import { HeError } from '../errors.js';

/** A live ciphertext or encoded plaintext of an engine, with the metadata that the common rules check. */
abstract class Handle<V> {
  #value: V;
  #released = false;

  constructor(value: V) {
    this.#value = value;
  }

  get released(): boolean {
    return this.#released;
  }

  /** The engine's own object. @throws HeError HANDLE_RELEASED. */
  read(op: string): V {
    if (this.#released)
      throw new HeError('HANDLE_RELEASED', 'the handle has been disposed of', { op, hint: 'Dispose of it after its last use.' });
    return this.#value;
  }

  /** Marks as released and gives the object for freeing. */
  take(op: string): V {
    const value = this.read(op);
    this.#released = true;
    return value;
  }
}

export class CiphertextHandle<V> extends Handle<V> {
  constructor(
    value: V,
    public level: number,
    public scale: number,
    public size: number,
  ) {
    super(value);
  }
}

export class PlaintextHandle<W> extends Handle<W> {
  constructor(
    value: W,
    readonly level: number,
    readonly scale: number,
  ) {
    super(value);
  }
}
