import { rotationGroups } from '../executor/rotation_groups.js';
import { type Instruction, inputRegisters, type Program, type Register } from '../program/program.js';
import type { SimdCostName } from './costs.js';
import type { ProgramWork, Work } from './work.js';

/** What the engine knows of a ciphertext: see simd/value.ts, which this follows without computing anything. */
interface Value {
  /** Level + 1. */
  readonly primes: number;
  settled: boolean;
  /** Something is still to be divided by the special prime. */
  extended: boolean;
  /** Products to be added, of plaintexts with these ciphertexts, or (null) of ciphertexts. */
  terms: (Value | null)[];
}

type Ledger = (name: SimdCostName, primes: number, count: number) => void;

/**
 * The simd engine's work, by the instruction during which it is done: rotations of one value share its decomposition; divisions by the special prime and sums of
 * products are put off until a result is needed, and then done once.
 */
export function simdWork(program: Program): ProgramWork {
  const top = program.parameters.coeffModulus.length - 1;
  const values = new Map<Register, Value>();
  for (const register of inputRegisters(program)) values.set(register, fresh(top));
  return program.segments.map(({ instructions, refreshes }) => {
    const groups = rotationGroups(instructions);
    const ahead = new Set<number>();
    const work = instructions.map((instruction, position) => {
      const done: Work[] = [];
      const ledger: Ledger = (name, primes, count) => {
        if (count > 0) done.push({ name, primes, count });
      };
      ledger('instruction', instruction.level + 1, 1);
      const group = groups.get(position) ?? [position];
      if (instruction.op !== 'rotate') apply(instruction, values, ledger);
      else if (!ahead.has(position)) {
        for (const other of group) ahead.add(other);
        rotateAll(
          group.flatMap((other) => instructions[other] ?? []),
          values,
          ledger,
        );
      }
      return done;
    });
    for (const { to } of refreshes) values.set(to, fresh(top));
    return work;
  });
}

function fresh(primes: number): Value {
  return { primes, settled: true, extended: false, terms: [] };
}

function known(values: ReadonlyMap<Register, Value>, register: Register): Value {
  return values.get(register) ?? fresh(1);
}

/** Of one register: distances that repeat are computed once. */
function rotateAll(rotations: readonly Instruction[], values: Map<Register, Value>, ledger: Ledger): void {
  const [first] = rotations;
  if (first?.op !== 'rotate') return;
  const source = known(values, first.a);
  const { primes } = source;
  gather(source, ledger);
  if (source.extended) ledger('divide', primes, 1);
  ledger('decompose', primes, 1);
  const made = new Map<number, Value>();
  for (const rotation of rotations) {
    if (rotation.op !== 'rotate') continue;
    let value = made.get(rotation.steps);
    if (value === undefined) {
      ledger('switchKey', primes, 1);
      value = { primes, settled: false, extended: true, terms: [] };
      made.set(rotation.steps, value);
    }
    values.set(rotation.out, value);
  }
}

function apply(instruction: Instruction, values: Map<Register, Value>, ledger: Ledger): void {
  const read = (register: Register): Value => known(values, register);
  switch (instruction.op) {
    case 'rotate':
      return;
    case 'multiplyPlain': {
      const a = read(instruction.a);
      prepare(a, ledger);
      values.set(instruction.out, { primes: a.primes, settled: false, extended: false, terms: [a] });
      return;
    }
    case 'accumulatePlain': {
      const a = read(instruction.a);
      prepare(a, ledger);
      read(instruction.acc).terms.push(a);
      return;
    }
    case 'multiply':
    case 'square': {
      const a = read(instruction.a);
      settle(a, ledger);
      if (instruction.op === 'multiply') settle(read(instruction.b), ledger);
      values.set(instruction.out, { primes: a.primes, settled: false, extended: false, terms: [null] });
      return;
    }
    case 'accumulateProduct':
      settle(read(instruction.a), ledger);
      settle(read(instruction.b), ledger);
      read(instruction.acc).terms.push(null);
      return;
    case 'relinearize': {
      const acc = read(instruction.acc);
      settle(acc, ledger);
      ledger('decompose', acc.primes, 1);
      ledger('switchKey', acc.primes, 1);
      values.set(instruction.acc, { primes: acc.primes, settled: false, extended: true, terms: [] });
      return;
    }
    case 'rescale': {
      const acc = read(instruction.acc);
      gather(acc, ledger);
      // By the special prime and the level's together, where both are due.
      ledger('divide', acc.extended ? acc.primes : acc.primes - 1, 2);
      values.set(instruction.acc, fresh(acc.primes - 1));
      return;
    }
    case 'modSwitch': {
      const a = read(instruction.a);
      gather(a, ledger);
      values.set(instruction.out, { primes: instruction.toLevel + 1, settled: a.settled, extended: a.extended, terms: [] });
      return;
    }
    case 'add':
      values.set(instruction.out, sum(read(instruction.a), read(instruction.b), ledger));
      return;
    case 'accumulate':
      values.set(instruction.acc, sum(read(instruction.acc), read(instruction.a), ledger));
      return;
    case 'sub':
      settle(read(instruction.b), ledger);
      changed(instruction.out, read(instruction.a), 1);
      return;
    case 'negate':
      changed(instruction.out, read(instruction.a), 1);
      return;
    case 'addPlain':
      changed(instruction.out, read(instruction.a), 0.5);
      return;
  }
  function changed(out: Register, a: Value, count: number): void {
    settle(a, ledger);
    ledger('add', a.primes, count);
    values.set(out, fresh(a.primes));
  }
}

/** A factor stays extended only if that is all there is of it. */
function prepare(factor: Value, ledger: Ledger): void {
  if (factor.extended && !factor.settled && factor.terms.length === 0) return;
  settle(factor, ledger);
}

/** Computes the products that a value consists of; those of extended factors have a prime more. */
function gather(value: Value, ledger: Ledger): void {
  if (value.terms.length === 0) return;
  const extended = value.terms.filter((factor) => factor !== null && !factor.settled).length;
  const ordinary = value.terms.filter((factor) => factor?.settled === true).length;
  const ciphertexts = value.terms.length - extended - ordinary;
  ledger('multiplyAccumulate', value.primes, 2 * ordinary + 4 * ciphertexts);
  ledger('multiplyAccumulate', value.primes + 1, 2 * extended);
  value.settled ||= ordinary + ciphertexts > 0;
  value.extended ||= extended > 0;
  value.terms = [];
}

function settle(value: Value, ledger: Ledger): void {
  gather(value, ledger);
  if (value.extended) ledger('divide', value.primes, 2);
  value.settled = true;
  value.extended = false;
}

function sum(a: Value, b: Value, ledger: Ledger): Value {
  gather(a, ledger);
  gather(b, ledger);
  if (a.settled && b.settled) ledger('add', a.primes, 1);
  if (a.extended && b.extended) ledger('add', a.primes + 1, 1);
  return { primes: a.primes, settled: a.settled || b.settled, extended: a.extended || b.extended, terms: [] };
}
