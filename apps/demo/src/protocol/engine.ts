import { z } from 'zod';

/** Evaluators that a server may run, the default first. `simd` and `seal` do the same to the same ciphertexts; `mock` computes on plain numbers. */
export const ENGINES = ['simd', 'seal', 'mock'] as const;
/** What a client counts on if it names none: `seal` is the same to it. */
export const [DEFAULT_ENGINE] = ENGINES;
export type EngineName = (typeof ENGINES)[number];
export const engineName = z.enum(ENGINES);

/** What a client has to encrypt with for a server's engine. */
export function clientEngineOf(engine: EngineName): 'mock' | 'seal' {
  return engine === 'mock' ? 'mock' : 'seal';
}
