import { createEmptyEngine, type EmptyPlaintext } from '../engines/empty.js';
import { BUG_HINT, HeError } from '../errors.js';
import { interpret } from '../executor/interpret.js';
import { RegisterFile } from '../executor/register_file.js';
import { createParameters } from '../parameters/parameters.js';
import { lastUses } from '../program/liveness.js';
import { inputRegisters, type Program } from '../program/program.js';

/** What a run of a program takes, apart from time. */
export interface DryRun {
  /** Most ciphertexts alive at once. */
  readonly peakCiphertexts: number;
  readonly peakCiphertextBytes: number;
}

/**
 * Checker: runs the whole program on the `empty` engine, which knows levels, scales, sizes and keys but no values. What it accepts, no engine
 * refuses for those reasons.
 * @throws HeError of the first rule that is broken: always a bug of the compiler, never the user's mistake.
 */
export function checkProgram(program: Program): DryRun {
  const parameters = createParameters(program.parameters);
  const engine = createEmptyEngine(parameters, { galoisSteps: program.galoisSteps });
  const registers = new RegisterFile(engine);
  const zeros = new Float64Array(parameters.slots);
  const encoded = new Map<string, EmptyPlaintext>();
  // Values make no difference: one plaintext for all of a level and scale.
  const constants = program.constants.map(({ level, scale }) => {
    const plaintext = encoded.get(`${level} ${scale}`) ?? engine.encode(zeros, level, scale);
    encoded.set(`${level} ${scale}`, plaintext);
    return plaintext;
  });
  const constantBytes = engine.ledger.total().bytes;
  const constant = (id: number) => {
    const plaintext = constants[id];
    if (plaintext === undefined) throw new HeError('PROGRAM_INVALID', `constant ${id} is missing`, { hint: BUG_HINT });
    return plaintext;
  };
  const dying = lastUses(program);
  const seed = { serverKey: new Uint8Array(32), session: 'check', segment: 0, index: 0 };
  let peakCiphertexts = 0;
  try {
    for (const register of inputRegisters(program)) registers.set(register, engine.load(new Uint8Array(0)));
    for (const [s, segment] of program.segments.entries()) {
      registers.mark(); // a run keeps what a segment starts from until its end, to be able to start again
      for (const [i, instruction] of segment.instructions.entries()) {
        interpret(instruction, engine, registers, constant);
        peakCiphertexts = Math.max(peakCiphertexts, engine.ledger.of('ciphertext').count);
        for (const register of dying[s]?.[i] ?? []) registers.release(register);
      }
      registers.commit();
      for (const { from, to } of segment.refreshes) {
        engine.dispose(engine.mask(registers.get(from), seed));
        registers.set(to, engine.load(new Uint8Array(0)));
      }
    }
    for (const [output, { registers: own }] of program.outputs.entries()) {
      for (const register of own) engine.save(registers.get(register));
      const kept = program.state?.some((pair) => pair.output === output) === true;
      if (kept && own.some((register) => engine.info(registers.get(register)).level !== parameters.maxLevel)) {
        throw new HeError('LEVEL_MISMATCH', 'what is kept for the next run is not at the top level', {
          hint: BUG_HINT,
        });
      }
    }
    return { peakCiphertexts, peakCiphertextBytes: engine.ledger.peakBytes - constantBytes };
  } finally {
    registers.releaseAll();
    for (const plaintext of encoded.values()) engine.disposePlain(plaintext);
    engine.close();
  }
}
