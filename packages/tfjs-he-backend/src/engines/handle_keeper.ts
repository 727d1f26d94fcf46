import type { Arithmetic, Target } from './arithmetic.js';
import { CiphertextHandle, PlaintextHandle } from './handles.js';
import type { Ledger } from './ledger.js';

/** Makes, copies and releases the handles of an engine, and tells the ledger. */
export function createHandleKeeper<V, W>(arithmetic: Arithmetic<V, W>, ledger: Ledger) {
  type C = CiphertextHandle<V>;
  type P = PlaintextHandle<W>;

  const bytesOf = (c: C) => arithmetic.ciphertextBytes(c.level, c.size);
  /** A handle of what the engine has made. */
  const adopt = (value: V, { level, scale, size }: Target): C => {
    const made = new CiphertextHandle(value, level, scale, size);
    ledger.acquire('ciphertext', bytesOf(made));
    return made;
  };
  const adoptPlain = (value: W, level: number, scale: number): P => {
    ledger.acquire('plaintext', arithmetic.plaintextBytes(level, value));
    return new PlaintextHandle(value, level, scale);
  };
  /** After an operation in place. */
  const become = (c: C, to: Target): void => {
    const before = bytesOf(c);
    c.level = to.level;
    c.scale = to.scale;
    c.size = to.size;
    ledger.resize('ciphertext', bytesOf(c) - before);
  };
  const clone = (c: C, op: string): C => adopt(arithmetic.clone(c.read(op)), c);
  const dispose = (c: C): void => {
    const value = c.take('dispose');
    ledger.release('ciphertext', bytesOf(c));
    arithmetic.free(value);
  };
  /** Out of place from in place. */
  const onCopy = (op: string, c: C, change: (copy: C) => void): C => {
    const copy = clone(c, op);
    try {
      change(copy);
      return copy;
    } catch (error) {
      dispose(copy);
      throw error;
    }
  };
  const disposePlain = (p: P): void => {
    const value = p.take('disposePlain');
    ledger.release('plaintext', arithmetic.plaintextBytes(p.level, value));
    arithmetic.freePlain(value);
  };
  return { adopt, adoptPlain, become, clone, dispose, disposePlain, onCopy };
}
