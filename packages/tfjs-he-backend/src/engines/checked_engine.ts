import type { Parameters } from '../parameters/parameters.js';
import { CONJUGATION } from '../ring/galois.js';
import type { Arithmetic, OpObserver, Target } from './arithmetic.js';
import type { Engine } from './engine.js';
import { createHandleKeeper } from './handle_keeper.js';
import type { CiphertextHandle, PlaintextHandle } from './handles.js';
import type { Ledger } from './ledger.js';
import * as rules from './rules.js';

/** Wraps unchecked arithmetic in the rules of {@link Engine}. */
export function createCheckedEngine<V, W>(
  parameters: Parameters,
  arithmetic: Arithmetic<V, W>,
  ledger: Ledger,
  observe: OpObserver = () => {},
): Engine<CiphertextHandle<V>, PlaintextHandle<W>> {
  type C = CiphertextHandle<V>;
  type P = PlaintextHandle<W>;

  let closed = false;
  const { adopt, adoptPlain, become, clone, dispose, disposePlain, onCopy } = createHandleKeeper(arithmetic, ledger);

  const combine = (op: 'add' | 'sub', acc: C, b: C): void => {
    rules.requireSameLevel(op, acc, b);
    rules.requireSameScale(op, acc, b.scale);
    rules.requireSameSize(op, acc, b);
    observe(op, acc.level);
    arithmetic[op](acc.read(op), b.read(op), acc);
  };
  const addPlainInPlace = (acc: C, p: P): void => {
    rules.requireSameLevel('addPlain', acc, p);
    rules.requireSameScale('addPlain', acc, p.scale);
    observe('addPlain', acc.level);
    arithmetic.addPlain(acc.read('addPlain'), p.read('addPlain'), acc);
  };
  /** Level, scale and size of a product, after the checks that all products share. */
  const productOf = (op: string, a: C, b: C | P, size: number): Target => {
    rules.requireSameLevel(op, a, b);
    const scale = a.scale * b.scale;
    rules.requireScaleFits(op, parameters, a, a.level, scale);
    return { level: a.level, scale, size };
  };
  const multiplyInPlace = (a: C, b: C): void => {
    const to = productOf('multiply', a, b, 3);
    rules.requireSize('multiply', a, 2);
    rules.requireSize('multiply', b, 2);
    observe('multiply', a.level);
    arithmetic.multiply(a.read('multiply'), b.read('multiply'), to);
    become(a, to);
  };
  const relinearizeInPlace = (a: C): void => {
    rules.requireSize('relinearize', a, 3);
    observe('relinearize', a.level);
    const to = { level: a.level, scale: a.scale, size: 2 };
    arithmetic.relinearize(a.read('relinearize'), to);
    become(a, to);
  };
  const rescaleInPlace = (a: C, exactScale: number): void => {
    rules.requireRescalable('rescale', parameters, a, exactScale);
    observe('rescale', a.level);
    const to = { level: a.level - 1, scale: exactScale, size: a.size };
    arithmetic.rescale(a.read('rescale'), to);
    become(a, to);
  };
  const modSwitchToInPlace = (a: C, level: number): void => {
    rules.requireReachable('modSwitchTo', parameters, a, level);
    if (level === a.level) return;
    observe('modSwitchTo', a.level);
    const to = { level, scale: a.scale, size: a.size };
    arithmetic.modSwitch(a.read('modSwitchTo'), to);
    become(a, to);
  };

  const rotate = (a: C, steps: number): C => {
    const { slots } = parameters;
    const step = ((steps % slots) + slots) % slots;
    if (step === 0) return clone(a, 'rotate');
    rules.requireSize('rotate', a, 2);
    rules.requireGaloisKey('rotate', parameters, a, step, arithmetic.hasGaloisKey(step));
    return onCopy('rotate', a, (copy) => {
      observe('rotate', copy.level);
      arithmetic.rotate(copy.read('rotate'), step, copy);
    });
  };

  return {
    name: arithmetic.name,
    parameters,
    ledger,
    hoists: arithmetic.rotateMany !== undefined,
    encode(values, level, scale) {
      rules.requireEncodable('encode', parameters, values, level, scale);
      observe('encode', level);
      return adoptPlain(arithmetic.encode(values, level, scale), level, scale);
    },
    plainBytes: (p) => arithmetic.plaintextBytes(p.level, p.read('plainBytes')),
    storePlain(p) {
      const stored = arithmetic.storePlain?.(p.read('storePlain'));
      return stored === undefined ? undefined : { bytes: stored.bytes, restore: () => adoptPlain(stored.restore(), p.level, p.scale) };
    },
    info: ({ level, scale, size }) => ({ level, scale, size }),
    clone: (c) => clone(c, 'clone'),
    add: (a, b) => onCopy('add', a, (copy) => combine('add', copy, b)),
    sub: (a, b) => onCopy('sub', a, (copy) => combine('sub', copy, b)),
    negate: (a) =>
      onCopy('negate', a, (copy) => {
        observe('negate', copy.level);
        arithmetic.negate(copy.read('negate'), copy);
      }),
    addPlain: (a, p) => onCopy('addPlain', a, (copy) => addPlainInPlace(copy, p)),
    multiplyPlain: (a, p) =>
      onCopy('multiplyPlain', a, (copy) => {
        const to = productOf('multiplyPlain', copy, p, copy.size);
        observe('multiplyPlain', copy.level);
        arithmetic.multiplyPlain(copy.read('multiplyPlain'), p.read('multiplyPlain'), to);
        become(copy, to);
      }),
    multiply: (a, b) => onCopy('multiply', a, (copy) => multiplyInPlace(copy, b)),
    square: (a) =>
      onCopy('square', a, (copy) => {
        const to = productOf('square', copy, copy, 3);
        rules.requireSize('square', copy, 2);
        observe('square', copy.level);
        arithmetic.square(copy.read('square'), to);
        become(copy, to);
      }),
    relinearize: (a) => onCopy('relinearize', a, relinearizeInPlace),
    rescale: (a, exactScale) => onCopy('rescale', a, (copy) => rescaleInPlace(copy, exactScale)),
    modSwitchTo: (a, level) => onCopy('modSwitchTo', a, (copy) => modSwitchToInPlace(copy, level)),
    rotate,
    conjugate(a) {
      const op = 'conjugate';
      rules.requireSize(op, a, 2);
      rules.requireGaloisKey(op, parameters, a, CONJUGATION, arithmetic.hasGaloisKey(CONJUGATION));
      return onCopy(op, a, (copy) => {
        observe(op, copy.level);
        arithmetic.conjugate(copy.read(op), copy);
      });
    },
    rotateMany(a, steps) {
      const op = 'rotateMany';
      const { slots } = parameters;
      const normal = steps.map((step) => ((step % slots) + slots) % slots);
      const distinct = [...new Set(normal)].filter((step) => step !== 0);
      if (distinct.length > 0) rules.requireSize(op, a, 2);
      for (const step of distinct) rules.requireGaloisKey(op, parameters, a, step, arithmetic.hasGaloisKey(step));
      const rotated = new Map<number, C>();
      const release = () => {
        for (const c of rotated.values()) dispose(c);
      };
      try {
        if (arithmetic.rotateMany === undefined) for (const step of distinct) rotated.set(step, rotate(a, step));
        else {
          for (const _ of distinct) observe('rotate', a.level);
          const made = arithmetic.rotateMany(a.read(op), distinct, a);
          made.forEach((value, i) => {
            rotated.set(distinct[i] ?? 0, adopt(value, a));
          });
        }
        return normal.map((step) => clone(rotated.get(step) ?? a, op));
      } finally {
        release();
      }
    },
    addInPlace: (acc, b) => combine('add', acc, b),
    subInPlace: (acc, b) => combine('sub', acc, b),
    addPlainInPlace,
    accumulateProductPlain(acc, a, p) {
      const op = 'accumulateProductPlain';
      const product = productOf(op, a, p, a.size);
      rules.requireSameLevel(op, acc, a);
      rules.requireSameScale(op, acc, product.scale);
      rules.requireSameSize(op, acc, a);
      observe('multiplyPlain', a.level);
      observe('add', a.level);
      arithmetic.accumulateProductPlain(acc.read(op), a.read(op), p.read(op), acc);
    },
    accumulateProduct(acc, a, b) {
      const op = 'accumulateProduct';
      if (arithmetic.accumulateProduct !== undefined) {
        const to = productOf('multiply', a, b, 3);
        rules.requireSize('multiply', a, 2);
        rules.requireSize('multiply', b, 2);
        rules.requireSameLevel('add', acc, to);
        rules.requireSameScale('add', acc, to.scale);
        rules.requireSameSize('add', acc, to);
        observe('multiply', a.level);
        observe('add', a.level);
        arithmetic.accumulateProduct(acc.read(op), a.read(op), b.read(op), acc);
        return;
      }
      const product = clone(a, op);
      try {
        multiplyInPlace(product, b);
        combine('add', acc, product);
      } finally {
        dispose(product);
      }
    },
    relinearizeInPlace,
    rescaleInPlace,
    modSwitchToInPlace,
    mask(c, seed) {
      rules.requireCanonical('mask', parameters, c, parameters.refreshLevel);
      return onCopy('mask', c, (copy) => {
        observe('mask', copy.level);
        arithmetic.addMask(copy.read('mask'), seed, copy);
      });
    },
    unmask(c, seed) {
      rules.requireCanonical('unmask', parameters, c, parameters.maxLevel);
      return onCopy('unmask', c, (copy) => {
        observe('unmask', copy.level);
        arithmetic.subtractMask(copy.read('unmask'), seed, copy);
      });
    },
    load(bytes, level = parameters.maxLevel) {
      rules.requireLevel('load', parameters, level);
      observe('load', level);
      const to = { level, scale: parameters.levelScale(level), size: 2 };
      return adopt(arithmetic.load(bytes, to), to);
    },
    save(c) {
      rules.requireCanonical('save', parameters, c, c.level);
      observe('save', c.level);
      return arithmetic.save(c.read('save'), c);
    },
    toPortable(c) {
      rules.requireSize('toPortable', c, 2);
      const { level, scale } = c;
      const value = c.read('toPortable');
      return { bytes: arithmetic.toBytes?.(value) ?? arithmetic.save(value, c), level, scale };
    },
    fromPortable({ bytes, level, scale }) {
      rules.requireLevel('fromPortable', parameters, level);
      const to = { level, scale, size: 2 };
      rules.requireScaleFits('fromPortable', parameters, to, level, scale);
      return adopt(arithmetic.fromBytes?.(bytes, to) ?? arithmetic.load(bytes, to), to);
    },
    dispose,
    disposePlain,
    close() {
      if (!closed) arithmetic.close();
      closed = true;
    },
  };
}
