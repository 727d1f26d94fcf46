import type { MainModule, Modulus, SEALContext } from 'node-seal';
import { HeError } from '../errors.js';
import { callSeal } from './errors.js';

/** What building a context needs of the module. */
export type ContextSeal = Pick<
  MainModule,
  'EncryptionParameters' | 'Modulus' | 'SEALContext' | 'SchemeType' | 'SecLevelType' | 'VectorModulus' | 'vecFromArrayModulus'
>;

export interface ContextOptions {
  /** Also make the contexts of all lower levels; otherwise only the key level (all primes) and the first data level (all but the last). */
  readonly expandChain: boolean;
  readonly securityBits: 0 | 128 | 192 | 256;
}

const SECURITY = { 0: 'none', 128: 'tc128', 192: 'tc192', 256: 'tc256' } as const;

/** A CKKS context. @throws HeError PARAMETERS_INVALID when SEAL refuses the parameters. */
export function createSealContext(seal: ContextSeal, degree: number, primes: readonly bigint[], options: ContextOptions): SEALContext {
  const moduli: Modulus[] = [];
  return callSeal({ op: 'create context' }, () => {
    const parameters = new seal.EncryptionParameters(seal.SchemeType.ckks);
    try {
      for (const prime of primes) moduli.push(new seal.Modulus(prime));
      parameters.setPolyModulusDegree(degree);
      const vector = seal.vecFromArrayModulus(moduli);
      try {
        parameters.setCoeffModulus(vector);
      } finally {
        vector.delete();
      }
      const context = new seal.SEALContext(parameters, options.expandChain, seal.SecLevelType[SECURITY[options.securityBits]]);
      if (context.parametersSet()) return context;
      context.delete();
    } finally {
      parameters.delete();
      for (const modulus of moduli) modulus.delete();
    }
    throw new HeError('PARAMETERS_INVALID', 'SEAL refuses the parameters', {
      op: 'create context',
      hint: 'Make them with createParameters().',
    });
  });
}
