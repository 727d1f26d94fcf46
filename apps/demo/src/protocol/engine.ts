import { z } from 'zod';

/** Evaluators that a server may run. `simd` and `seal` do the same to the same ciphertexts; `mock` computes on plain numbers. */
export const ENGINES = ['simd', 'seal', 'mock'] as const;
export type EngineName = (typeof ENGINES)[number];
export const engineName = z.enum(ENGINES);

/** What a client has to encrypt with for a server's engine. */
export function clientEngineOf(engine: EngineName): 'mock' | 'seal' {
  return engine === 'mock' ? 'mock' : 'seal';
}
