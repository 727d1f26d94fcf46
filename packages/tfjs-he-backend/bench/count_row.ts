import type { Engine, OpCounts, Parameters, Profile } from 'tfjs-he-backend';
import { type AttentionSize, LARGE_ATTENTION, SMALL_ATTENTION } from './cases.ts';
import { HandWritten } from './hand_written.ts';

/** What is published of a case; all of it follows from the program alone. */
export interface CountRow {
  readonly case: string;
  readonly rotations: number;
  /** Rotations and relinearisations. */
  readonly keySwitches: number;
  readonly ciphertextMultiplies: number;
  readonly plaintextMultiplies: number;
  readonly depth: number;
  readonly refreshes: number;
  readonly evaluationKeyBytes: number;
  readonly plaintextBytes: number;
  /** Tensors by layout. */
  readonly layouts: string;
}

export function countRow(name: string, profile: Profile): CountRow {
  return {
    case: name,
    rotations: profile.rotations,
    keySwitches: profile.keySwitches,
    ciphertextMultiplies: profile.products,
    plaintextMultiplies: profile.plainProducts,
    depth: profile.depth,
    refreshes: profile.refreshes,
    evaluationKeyBytes: profile.evaluationKeyBytes,
    plaintextBytes: profile.constantBytes,
    layouts: Object.entries(profile.layouts)
      .map(([layout, tensors]) => `${layout} ${tensors}`)
      .join(', '),
  };
}

/** Ring degree, and bits of the primes, of the hand-written programs: enough levels for all of them without a refresh. */
export const HAND_WRITTEN_DEGREE = 32768;
export const HAND_WRITTEN_PRIMES: readonly number[] = [50, ...new Array<number>(14).fill(40), 50];

export interface HandWrittenCase {
  /** The case of the compiler that computes the same. */
  readonly of: string;
  readonly run: <C, P>(program: HandWritten<C, P>, x: C) => C;
}

export const HAND_WRITTEN_CASES: readonly HandWrittenCase[] = [
  { of: 'dense 128x128', run: (program, x) => program.dense(x, 128, 128, () => 1) },
  { of: 'dense 512x128', run: (program, x) => program.dense(x, 512, 128, () => 1) },
  attention(SMALL_ATTENTION),
  attention(LARGE_ATTENTION),
];

function attention(size: AttentionSize): HandWrittenCase {
  return {
    of: `attention T=${size.tokens} d=${size.width} h=${size.heads}`,
    run: (program, x) => program.attention(x, size, () => 1, [1, 1, 1, 1]),
  };
}

export interface CountingEngine<C, P> {
  readonly engine: Engine<C, P>;
  readonly counts: OpCounts;
  readonly parameters: Parameters;
  readonly keyBytes: number;
}

/** Runs a hand-written program on an engine that counts; `keyBytes` is the size of one key-switching key. */
export function handWrittenRow<C, P>(
  { of, run }: HandWrittenCase,
  { engine, counts, parameters, keyBytes }: CountingEngine<C, P>,
): CountRow {
  const program = new HandWritten(engine);
  const result = run(program, engine.load(new Uint8Array(0)));
  const rotations = counts.count('rotate');
  return {
    case: `${of}, hand-written`,
    rotations,
    keySwitches: rotations + counts.count('relinearize'),
    ciphertextMultiplies: counts.count('multiply') + counts.count('square'),
    plaintextMultiplies: counts.count('multiplyPlain'),
    depth: parameters.maxLevel - engine.info(result).level,
    refreshes: 0,
    evaluationKeyBytes: (program.galoisSteps.length + 1) * keyBytes,
    plaintextBytes: program.plaintextBytes,
    layouts: 'by hand',
  };
}
