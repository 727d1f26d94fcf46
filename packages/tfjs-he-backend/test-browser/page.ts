/** What the tests run in a browser, and in Node to compare: a page's main thread, or a worker of it. */
import { createSimdEngine } from '../src/engines/simd.js';
import { createSimdRuntime } from '../src/engines/simd_runtime.js';
import { createParameters, type Parameters } from '../src/parameters/parameters.js';
import { choosePrimes } from '../src/parameters/primes.js';
import { FRAME_HEADER, fingerprint, packRns, rnsBodyBytes, writeFrameHeader } from '../src/wire/frames.js';
import type { RnsCiphertext } from '../src/wire/seal_format.js';
import { randomSource } from '../test/support/random.js';

export interface Outcome {
  readonly isolated: boolean;
  readonly threads: number;
  readonly variant: string;
  /** SHA-256 of the resulting ciphertext, in hexadecimal. */
  readonly digest: string;
  readonly ms: number;
}

const STEP = 1;

/** Arithmetic cares for residues, not for secrets: keys and ciphertexts are random numbers. */
function randomFrame(parameters: Parameters, kind: 'fresh' | 'relinearization' | 'galois', seed: number): Uint8Array {
  const { polyModulusDegree: degree, coeffModulus, dataPrimes, maxLevel } = parameters;
  const primes = kind === 'fresh' ? dataPrimes : coeffModulus;
  const parts = kind === 'fresh' ? 1 : dataPrimes.length;
  const next = randomSource(seed);
  const partBytes = rnsBodyBytes(degree, primes, 1, true);
  const frame = new Uint8Array(FRAME_HEADER + parts * partBytes);
  writeFrameHeader(frame, { kind, engine: 'seal', level: maxLevel, step: kind === 'galois' ? STEP : 0 }, fingerprint(parameters));
  for (let part = 0; part < parts; part++) {
    const polynomial = primes.map((prime) => Float64Array.from({ length: degree }, () => Math.floor(next() * 2 ** 29) % Number(prime)));
    const ciphertext: RnsCiphertext = {
      scale: 1,
      polynomials: [polynomial],
      seed: Uint8Array.from({ length: 65 }, (_, i) => (i === 0 ? 1 : part)),
    };
    packRns(ciphertext, primes, frame, FRAME_HEADER + part * partBytes);
  }
  return frame;
}

/** A product, relinearised and rescaled, and rotations of it: all that threads share. */
export async function evaluate(threads: number): Promise<Outcome> {
  const parameters = createParameters({
    polyModulusDegree: 8192,
    coeffModulus: choosePrimes(8192, [50, 40, 40, 50]),
    securityBits: 0,
    refreshLevel: 0,
    valueBits: 1,
  });
  const runtime = await createSimdRuntime(parameters, { threads });
  const keys = {
    relinearization: randomFrame(parameters, 'relinearization', 1),
    galois: [{ step: STEP, frame: randomFrame(parameters, 'galois', 2) }],
  };
  const engine = createSimdEngine(runtime, keys);
  const [a, b] = [engine.load(randomFrame(parameters, 'fresh', 3)), engine.load(randomFrame(parameters, 'fresh', 4))];
  const start = performance.now();
  let c = engine.rescale(engine.relinearize(engine.multiply(a, b)), parameters.levelScale(parameters.maxLevel - 1));
  for (let i = 0; i < 50; i++) c = engine.rotate(c, STEP);
  const bytes = engine.save(c);
  const ms = performance.now() - start;
  const digest = await crypto.subtle.digest('SHA-256', bytes.slice());
  const outcome = {
    isolated: globalThis.crossOriginIsolated === true,
    threads: runtime.runner.threads,
    variant: runtime.variant,
    digest: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join(''),
    ms,
  };
  runtime.dispose();
  return outcome;
}

/** The same in a worker of the page, whose thread may sleep. */
function inWorker(threads: number): Promise<Outcome> {
  const worker = new Worker('/page.js', { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => resolve(data as Outcome));
    worker.addEventListener('error', ({ message }) => reject(new Error(message)));
    worker.postMessage(threads);
  });
}

declare global {
  var evaluateHere: typeof evaluate;
  var evaluateInWorker: (threads: number) => Promise<Outcome>;
}

globalThis.evaluateHere = evaluate;
globalThis.evaluateInWorker = inWorker;
if (typeof document === 'undefined') {
  globalThis.addEventListener?.('message', async ({ data }) => globalThis.postMessage(await evaluate(data as number)));
}
