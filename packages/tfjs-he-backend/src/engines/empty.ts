import type { Parameters } from '../parameters/parameters.js';
import type { Arithmetic, OpObserver } from './arithmetic.js';
import { createCheckedEngine } from './checked_engine.js';
import type { Engine } from './engine.js';
import type { CiphertextHandle, PlaintextHandle } from './handles.js';
import { Ledger } from './ledger.js';

export interface EmptyOptions {
  /** Rotation steps to allow (0: conjugation); without it, all. */
  readonly galoisSteps?: readonly number[];
  readonly observe?: OpObserver;
}

export type EmptyCiphertext = CiphertextHandle<null>;
export type EmptyPlaintext = PlaintextHandle<null>;

const nothing = (): void => {};
const nullValue = (): null => null;

/** Carries levels, scales and sizes only: for planning, cost models and tests of the compiler. load() takes any bytes, save() gives none. */
export function createEmptyEngine(parameters: Parameters, options: EmptyOptions = {}): Engine<EmptyCiphertext, EmptyPlaintext> {
  const { polyModulusDegree: degree } = parameters;
  const steps = options.galoisSteps === undefined ? undefined : new Set(options.galoisSteps);
  const arithmetic: Arithmetic<null, null> = {
    name: 'empty',
    ciphertextBytes: (level, size) => 8 * degree * (level + 1) * size,
    plaintextBytes: (level) => 8 * degree * (level + 1),
    encode: nullValue,
    clone: nullValue,
    add: nothing,
    sub: nothing,
    negate: nothing,
    addPlain: nothing,
    multiplyPlain: nothing,
    accumulateProductPlain: nothing,
    multiply: nothing,
    square: nothing,
    relinearize: nothing,
    rescale: nothing,
    modSwitch: nothing,
    hasGaloisKey: (step) => steps?.has(step) ?? true,
    rotate: nothing,
    conjugate: nothing,
    addMask: nothing,
    subtractMask: nothing,
    load: nullValue,
    save: () => new Uint8Array(0),
    free: nothing,
    freePlain: nothing,
    close: nothing,
  };
  return createCheckedEngine(parameters, arithmetic, new Ledger(), options.observe);
}
