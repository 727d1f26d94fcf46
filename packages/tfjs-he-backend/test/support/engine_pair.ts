import type { Ciphertext, Plaintext } from 'node-seal';
import { createClient } from '../../src/client/create_client.js';
import type { CiphertextHandle, PlaintextHandle } from '../../src/engines/handles.js';
import { createSealEngine } from '../../src/engines/seal.js';
import { createSealRuntime } from '../../src/engines/seal_runtime.js';
import { createSimdEngine } from '../../src/engines/simd.js';
import { createSimdRuntime, type SimdOptions } from '../../src/engines/simd_runtime.js';
import { createParameters, type Parameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import type { SimdPlaintext } from '../../src/simd/encoder.js';
import type { SimdCiphertext } from '../../src/simd/value.js';
import { splitEvaluationKeys } from '../../src/wire/evaluation_keys.js';
import { manifestParameters } from '../../src/wire/manifest.js';
import { readSealCiphertext, readSealPlaintext } from '../../src/wire/seal_format.js';
import { keysManifest } from './keys_manifest.js';
import { randomSource } from './random.js';

type SimdC = CiphertextHandle<SimdCiphertext>;
type SealC = CiphertextHandle<Ciphertext>;

/** One ciphertext on both engines. */
export interface Both {
  readonly seal: SealC;
  readonly simd: SimdC;
}

export interface BothPlain {
  readonly seal: PlaintextHandle<Plaintext>;
  readonly simd: PlaintextHandle<SimdPlaintext>;
}

/** Insecure: for comparing arithmetic. */
export function smallParameters(degree: number, bits: readonly number[]): Parameters {
  return createParameters({
    polyModulusDegree: degree,
    coeffModulus: choosePrimes(degree, bits),
    securityBits: 0,
    refreshLevel: 0,
    valueBits: 1,
  });
}

/** node-seal's evaluator and ours under the same keys, and what it takes to compare their objects residue by residue. */
export async function openEnginePair(parameters: Parameters, galoisSteps: readonly number[], options: SimdOptions = {}) {
  const client = await createClient(keysManifest(manifestParameters(parameters), galoisSteps), { engine: 'seal', minimumSecurityBits: 0 });
  const keys = splitEvaluationKeys(await client.evaluationKeys(), 'seal', parameters, galoisSteps);
  const sealRuntime = await createSealRuntime(parameters);
  const simdRuntime = await createSimdRuntime(parameters, options);
  const seal = createSealEngine(sealRuntime, keys);
  const simd = createSimdEngine(simdRuntime, keys);
  const { frames, heap, kernels, pool } = simdRuntime;
  const none = sealRuntime.seal.ComprModeType.none;

  return {
    parameters,
    client,
    keys,
    seal,
    simd,
    sealRuntime,
    simdRuntime,
    /** Uniform residues, with the ends of the range among them. */
    random(level: number, seed: number): Both {
      const next = randomSource(seed);
      const polynomials = [0, 1].map(() =>
        parameters.dataPrimes.slice(0, level + 1).map((prime) => {
          const p = Number(prime);
          return Float64Array.from({ length: parameters.polyModulusDegree }, () => {
            const u = next();
            return u < 0.01 ? 0 : u < 0.02 ? p - 1 : Math.floor((next() + next() * 2 ** -32) * p) % p;
          });
        }),
      );
      const bytes = frames.writeCiphertext({ scale: 1, polynomials }, level);
      return { seal: seal.load(bytes, level), simd: simd.load(bytes, level) };
    },
    /** SEAL's plaintext on both engines. */
    encode(values: Float64Array, level: number, scale: number): BothPlain {
      const a = seal.encode(values, level, scale);
      const b = simd.encode(values, level, scale);
      const residues = readSealPlaintext(a.read('test').saveToArray(none), frames.shape(level));
      const plaintext = b.read('test');
      const limbBytes = 8 * parameters.polyModulusDegree;
      const limbs = residues.map((limb, i) => {
        const at = heap.allocate(limbBytes);
        heap.doubles(at, limb.length).set(limb);
        kernels.toSymmetric(at, at, limb.length, parameters.primeAt(i));
        return at;
      });
      Object.assign(plaintext, { limbs, logRun: 0, limbBytes });
      return { seal: a, simd: b };
    },
    /** Residues in [0, p), by polynomial and prime. */
    residues(c: Both): { seal: Float64Array[][]; simd: Float64Array[][] } {
      const { level, size } = seal.info(c.seal);
      const read = readSealCiphertext(c.seal.read('test').saveToArray(none), frames.shape(level), size, false);
      const polynomials = simdRuntime.values.settle(c.simd.read('test').value);
      const mine = polynomials.map((polynomial) =>
        polynomial.map(({ at }, i) => {
          const limb = pool.create();
          kernels.toCanonical(limb.at, at, parameters.polyModulusDegree, parameters.primeAt(i));
          const values = heap.doubles(limb.at, parameters.polyModulusDegree).map((x) => x + 0); // -0 -> 0
          pool.release([limb]);
          return values;
        }),
      );
      return { seal: read.polynomials.map((p) => [...p]), simd: mine };
    },
    free(...cs: Both[]) {
      for (const c of cs) {
        seal.dispose(c.seal);
        simd.dispose(c.simd);
      }
    },
    freePlain(...ps: BothPlain[]) {
      for (const p of ps) {
        seal.disposePlain(p.seal);
        simd.disposePlain(p.simd);
      }
    },
    close() {
      seal.close();
      simd.close();
      sealRuntime.dispose();
      simdRuntime.dispose();
      client.dispose();
    },
  };
}

export type EnginePair = Awaited<ReturnType<typeof openEnginePair>>;
