import { HeError } from '../errors.js';
import type { Refresh } from '../program/program.js';
import { unlessAborted } from '../turns.js';
import type { RunContext } from './execution.js';
import type { RegisterFile } from './register_file.js';
import type { RunOptions } from './types.js';

/** Where a round stands. */
export interface Round {
  readonly segment: number;
  /** Rounds asked for before, this segment's earlier ones included: every attempt gets masks of its own. */
  readonly attempt: number;
}

/**
 * Masks all ciphertexts that are due, has the client refresh them in one round, and takes the masks off. Registers change only when all
 * answers are good.
 * @throws HeError ABORTED, WIRE_*, and what `options.refresh` rejects with.
 */
export async function refreshRound<C, P>(
  { program, engine, maskKey, runId, outgoing }: RunContext<C, P>,
  refreshes: readonly Refresh[],
  { segment, attempt }: Round,
  registers: RegisterFile<C>,
  options: RunOptions,
): Promise<void> {
  const seedOf = (index: number) => ({ serverKey: maskKey, session: `${runId}/${attempt}`, segment, index });
  const masked = refreshes.map(({ from }, index) => {
    const ciphertext = engine.mask(registers.get(from), seedOf(index));
    try {
      const frame = engine.save(ciphertext);
      return outgoing?.refresh(frame) ?? frame;
    } finally {
      engine.dispose(ciphertext);
    }
  });
  const answers = await unlessAborted(options.refresh(masked, { segment, segments: program.segments.length }), options.signal, 'refresh');
  if (answers.length !== refreshes.length) {
    throw new HeError('WIRE_MALFORMED', `${answers.length} refreshed ciphertexts where ${refreshes.length} are expected`, {
      op: 'refresh',
      hint: 'Answer a round with as many ciphertexts as it has, in order.',
    });
  }
  const unmasked: C[] = [];
  try {
    for (const [index, answer] of answers.entries()) {
      const fresh = engine.load(answer);
      try {
        unmasked.push(engine.unmask(fresh, seedOf(index)));
      } finally {
        engine.dispose(fresh);
      }
    }
  } catch (error) {
    for (const ciphertext of unmasked) engine.dispose(ciphertext);
    throw error;
  }
  for (const [index, ciphertext] of unmasked.entries()) {
    const to = refreshes[index]?.to;
    if (to !== undefined) registers.set(to, ciphertext);
  }
}
