import type { Client } from '../../src/client/client.js';
import { createClient } from '../../src/client/create_client.js';
import type { OpObserver } from '../../src/engines/arithmetic.js';
import { createEmptyEngine } from '../../src/engines/empty.js';
import type { CiphertextHandle } from '../../src/engines/handles.js';
import { type AnyEngine, createEngineRuntime, type EngineRuntime } from '../../src/engines/runtime.js';
import { createParameters, type Parameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import { type Manifest, manifestParameters } from '../../src/wire/manifest.js';
import { keysManifest } from '../support/keys_manifest.js';

export type C = CiphertextHandle<unknown>;

/** Small and insecure on purpose: tests of arithmetic, not of security. */
export const parameters = createParameters({
  polyModulusDegree: 4096,
  coeffModulus: choosePrimes(4096, [50, 34, 34, 34, 50]),
  securityBits: 0,
  refreshLevel: 1,
  valueBits: 3,
});

/** 0: conjugation. */
export const galoisSteps = [0, 1, 3, 64, 2047];

export function manifestFor(p: Parameters, steps: readonly number[] = galoisSteps): Manifest {
  return keysManifest(manifestParameters(p), steps);
}

/** An engine and, except for `empty`, the client whose keys it has. */
export interface Session {
  readonly engine: AnyEngine;
  readonly client: Client | undefined;
  readonly runtime: EngineRuntime | undefined;
  encrypt(values: Float64Array): C;
  /** Any ciphertext, brought down to the refresh level; undefined on `empty`. Does not consume it. */
  decrypt(c: C): Float64Array | undefined;
  close(): void;
}

export type SessionEngine = 'empty' | 'mock' | 'seal' | 'simd';

export async function openSession(
  name: SessionEngine,
  observe?: OpObserver,
  p: Parameters = parameters,
  steps: readonly number[] = galoisSteps,
): Promise<Session> {
  if (name === 'empty') {
    const engine: AnyEngine = createEmptyEngine(p, observe === undefined ? { galoisSteps: steps } : { galoisSteps: steps, observe });
    return {
      engine,
      client: undefined,
      runtime: undefined,
      encrypt: () => engine.load(new Uint8Array(0)),
      decrypt(c) {
        engine.dispose(lower(engine, c));
        return undefined;
      },
      close: () => engine.close(),
    };
  }
  const client = await createClient(manifestFor(p, steps), { engine: name === 'mock' ? 'mock' : 'seal', minimumSecurityBits: 0 });
  const runtime = await createEngineRuntime(name, p, steps);
  const engine = runtime.open(await client.evaluationKeys(), observe);
  return {
    engine,
    client,
    runtime,
    encrypt: (values) => engine.load(client.encrypt([values])[0]!),
    decrypt(c) {
      const low = lower(engine, c);
      const [values] = client.decrypt([engine.save(low)]);
      engine.dispose(low);
      return values;
    },
    close() {
      engine.close();
      runtime.dispose();
      client.dispose();
    },
  };
}

/** A copy at the refresh level and canonical scale: relinearised, and multiplied by one at every level on the way. */
function lower(engine: AnyEngine, c: C): C {
  const { parameters } = engine;
  let current = engine.info(c).size === 3 ? engine.relinearize(c) : engine.clone(c);
  for (let { level, scale } = engine.info(current); level > parameters.refreshLevel; level--) {
    const target = parameters.levelScale(level - 1);
    const factor = (target * parameters.primeAt(level)) / scale;
    if (factor > 1.5) {
      const one = engine.encode(new Float64Array(parameters.slots).fill(1), level, factor);
      const product = engine.multiplyPlain(current, one);
      engine.disposePlain(one);
      engine.dispose(current);
      current = product;
    }
    engine.rescaleInPlace(current, target);
    scale = target;
  }
  return current;
}

/** Smallest number of correct bits over all slots. */
export function precisionBits(actual: Float64Array, expected: (slot: number) => number): number {
  let worst = 0;
  actual.forEach((value, slot) => {
    worst = Math.max(worst, Math.abs(value - expected(slot)));
  });
  return -Math.log2(worst);
}
