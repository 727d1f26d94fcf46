import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { checkMaskSlack, type MaskSeed, maskTag } from '../ring/mask.js';
import type { EvaluationKeyFrames } from '../wire/evaluation_keys.js';
import { createMockFrames } from '../wire/mock_frames.js';
import type { Arithmetic, OpObserver, Target } from './arithmetic.js';
import { createCheckedEngine } from './checked_engine.js';
import type { Engine } from './engine.js';
import type { CiphertextHandle, PlaintextHandle } from './handles.js';
import { Ledger } from './ledger.js';
import { createNoiseModel, createSlotNoise, keySwitchSlotFactors } from './mock_noise.js';
import { transparent } from './rules.js';

/** Slot values in the clear, and the name of the mask on them. */
export interface MockValue {
  values: Float64Array;
  mask: Uint8Array | undefined;
}

export type MockCiphertext = CiphertextHandle<MockValue>;
export type MockPlaintext = PlaintextHandle<Float64Array>;

export interface MockOptions {
  /** Seed of the noise (default 1). */
  readonly seed?: number;
  /** False leaves out all noise: exact values up to the rounding of doubles. */
  readonly noise?: boolean;
  readonly observe?: OpObserver;
  readonly ledger?: Ledger;
}

/** `keys` are frames, or directly the rotation steps there are keys for (0: conjugation). */
export function createMockEngine(
  parameters: Parameters,
  keys: EvaluationKeyFrames | readonly number[],
  options: MockOptions = {},
): Engine<MockCiphertext, MockPlaintext> {
  const arithmetic = mockArithmetic(parameters, 'galois' in keys ? checkKeys(parameters, keys) : keys, options);
  return createCheckedEngine(parameters, arithmetic, options.ledger ?? new Ledger(), options.observe);
}

function checkKeys(parameters: Parameters, keys: EvaluationKeyFrames): number[] {
  const frames = createMockFrames(parameters);
  frames.checkKey(keys.relinearization, 'relinearization', 0);
  return keys.galois.map(({ step, frame }) => {
    frames.checkKey(frame, 'galois', step);
    return step;
  });
}

function largest(values: Float64Array): number {
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  return max;
}

function mockArithmetic(
  parameters: Parameters,
  galoisSteps: readonly number[],
  { seed = 1, noise = true }: MockOptions,
): Arithmetic<MockValue, Float64Array> {
  const { polyModulusDegree: degree } = parameters;
  const steps = new Set(galoisSteps);
  const model = createNoiseModel(parameters);
  const addNoise = noise ? createSlotNoise(parameters, seed) : () => {};
  const slotFactors = keySwitchSlotFactors(parameters);
  const addKeySwitchNoise = (values: Float64Array, { level, scale }: Target): void => {
    addNoise(values, model.keySwitch(level), scale, slotFactors);
    addNoise(values, model.rescale(2), scale);
  };
  const frames = createMockFrames(parameters);

  /** Coefficients beyond half the modulus wrap: decryption would give noise. */
  const checkRange = (op: string, { values }: MockValue, to: Target): void => {
    const bits = Math.log2(largest(values) * to.scale);
    if (bits < parameters.modulusBits(to.level) - 1) return;
    throw new HeError('VALUE_OVERFLOW', `values times scale have ${bits.toFixed(1)} bits, more than half the modulus`, {
      op,
      level: to.level,
      scale: to.scale,
      hint: 'Keep values smaller, or raise valueBits of compile.',
    });
  };
  const checkFactor = (p: Float64Array, to: Target): void => {
    if (!p.some((value) => value !== 0)) throw transparent('multiplyPlain', to);
  };
  const onSlots = (op: string, a: MockValue, to: Target, value: (x: number, slot: number) => number): void => {
    for (let i = 0; i < a.values.length; i++) a.values[i] = value(a.values[i] ?? 0, i);
    checkRange(op, a, to);
  };
  const requireMask = (a: MockValue, mask: Uint8Array, to: Target): void => {
    if (a.mask?.every((byte, i) => byte === mask[i])) return;
    throw new HeError('MASK_MISMATCH', 'the ciphertext does not carry this mask', {
      op: 'unmask',
      level: to.level,
      hint: 'Unmask with the seed it was masked with.',
    });
  };
  const checkBound = (a: MockValue, to: Target): void => {
    if (largest(a.values) <= 2 ** parameters.valueBits) return;
    throw new HeError('VALUE_OVERFLOW', `a value at a refresh exceeds 2^${parameters.valueBits}, for which the mask was chosen`, {
      op: 'mask',
      level: to.level,
      scale: to.scale,
      hint: 'Raise valueBits of compile.',
    });
  };

  return {
    name: 'mock',
    ciphertextBytes: (level, size) => 8 * degree * (level + 1) * size,
    plaintextBytes: (level) => 8 * degree * (level + 1),
    encode(values, _level, scale) {
      const copy = values.slice();
      // Values that round to the zero polynomial are exactly zero, as in SEAL.
      if (largest(values) * scale < 0.5) return copy.fill(0);
      addNoise(copy, model.encode, scale);
      return copy;
    },
    clone: ({ values, mask }) => ({ values: values.slice(), mask }),
    add: (acc, b, to) => onSlots('add', acc, to, (x, i) => x + (b.values[i] ?? 0)),
    sub(acc, b, to) {
      onSlots('sub', acc, to, (x, i) => x - (b.values[i] ?? 0));
      if (acc.values.every((x) => x === 0)) throw transparent('sub', to);
    },
    negate: (a, to) => onSlots('negate', a, to, (x) => -x),
    addPlain: (acc, p, to) => onSlots('addPlain', acc, to, (x, i) => x + (p[i] ?? 0)),
    multiplyPlain(a, p, to) {
      checkFactor(p, to);
      onSlots('multiplyPlain', a, to, (x, i) => x * (p[i] ?? 0));
    },
    accumulateProductPlain(acc, a, p, to) {
      checkFactor(p, to);
      onSlots('accumulateProductPlain', acc, to, (x, i) => x + (a.values[i] ?? 0) * (p[i] ?? 0));
    },
    multiply: (a, b, to) => onSlots('multiply', a, to, (x, i) => x * (b.values[i] ?? 0)),
    square: (a, to) => onSlots('square', a, to, (x) => x * x),
    relinearize: (a, to) => addKeySwitchNoise(a.values, to),
    rescale(a, to) {
      addNoise(a.values, model.rescale(to.size), to.scale);
      checkRange('rescale', a, to);
    },
    modSwitch: (a, to) => checkRange('modSwitchTo', a, to),
    hasGaloisKey: (step) => steps.has(step),
    rotate(a, step, to) {
      const rotated = new Float64Array(a.values.length);
      rotated.set(a.values.subarray(step));
      rotated.set(a.values.subarray(0, step), a.values.length - step);
      a.values = rotated;
      addKeySwitchNoise(a.values, to);
    },
    // Slots are real here.
    conjugate: (a, to) => addKeySwitchNoise(a.values, to),
    addMask(a, seedOfMask: MaskSeed, to) {
      checkMaskSlack(parameters);
      checkBound(a, to);
      a.mask = maskTag(seedOfMask);
    },
    subtractMask(a, seedOfMask, to) {
      requireMask(a, maskTag(seedOfMask), to);
      a.mask = undefined;
    },
    load(bytes, to) {
      const { values, mask } = frames.unframeCiphertext(bytes, to.level);
      return { values, mask };
    },
    save: ({ values, mask }, to) => frames.frameCiphertext(mask === undefined ? { values } : { values, mask }, to.level),
    free() {},
    freePlain() {},
    close() {},
  };
}
