import { join } from 'node:path';
import { createSimdRuntime } from '../../dist/engines/simd_runtime.js';
import { median } from '../median.ts';
import { ownParameters } from './own_parameters.ts';
import { output } from './processes.ts';

/** Nanoseconds of processor time, in a warm loop over limbs of 16384 residues. */
export interface LoopTimes {
  readonly butterflyNs: number;
  readonly macNs: number;
}

/** Sizes and residues of native_loops.c. */
const LOG_N = 14;
const N = 2 ** LOG_N;
const COUNT = 8;
const PRIME = 281474976546817;
const BITS = 48;
const REPEATS = 16;
const FLAGS = ['-O3', '-march=native', '-ffp-contract=off'];

/**
 * Builds native_loops.c and runs it.
 *
 * @param narrow vectors of WebAssembly's 128 bits instead of the widest
 * @throws Error without a C compiler, or where the loops compute something else than the engine's kernels
 */
export async function nativeLoops(here: string, folder: string, narrow: boolean, samples: number): Promise<LoopTimes> {
  const program = join(folder, narrow ? 'native_loops_128' : 'native_loops');
  await output('cc', [...FLAGS, ...(narrow ? ['-mprefer-vector-width=128'] : []), join(here, 'native_loops.c'), '-o', program, '-lm']);
  const { butterflyNs, macNs, checksum } = JSON.parse(await output(program, [String(samples)]));
  if (checksum !== String(await kernelsChecksum())) throw new Error('native_loops.c computes something else than the kernels');
  return { butterflyNs, macNs };
}

/** The same loops of the simd engine, one thread. */
export async function simdLoops(samples: number): Promise<LoopTimes & { readonly variant: string }> {
  const { transform, sum, variant, dispose } = await prepared();
  const timed = (run: () => void): number => {
    const start = process.cpuUsage();
    for (let r = 0; r < REPEATS; r++) run();
    const { user, system } = process.cpuUsage(start);
    return (1000 * (user + system)) / REPEATS;
  };
  for (let warm = 0; warm < 20; warm++) {
    transform();
    sum();
  }
  const times = Array.from({ length: samples }, () => [timed(transform), timed(sum)] as const);
  dispose();
  return {
    butterflyNs: median(times.map(([ns]) => ns)) / ((LOG_N / 2) * N),
    macNs: median(times.map(([, ns]) => ns)) / (COUNT * N),
    variant,
  };
}

async function kernelsChecksum(): Promise<bigint> {
  const { transform, sum, limbs, dispose } = await prepared();
  transform();
  sum();
  const [x, result] = limbs().map((limb) => limb.reduce((hash, value) => BigInt.asUintN(64, hash * 31n + BigInt(value)), 0n));
  dispose();
  return (x ?? 0n) ^ (result ?? 0n);
}

async function prepared() {
  const runtime = await createSimdRuntime(ownParameters());
  const { heap, kernels } = runtime;
  let state = 1n;
  const residues = (): Float64Array =>
    Float64Array.from({ length: N }, () => {
      state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
      return Number(state >> 17n) - 70368744136704;
    });
  const place = (values: Float64Array): number => {
    const at = heap.allocate(8 * N);
    heap.doubles(at, N).set(values);
    return at;
  };
  const x = place(residues());
  const twiddles = residues();
  residues(); // where the C program has the quotients
  const dst = place(residues());
  const table = heap.allocate(16 * N);
  heap.doubles(table, N).set(twiddles);
  heap.doubles(table + 8 * N, N).set(twiddles.map((twiddle) => twiddle / PRIME));
  const addresses = Array.from({ length: 2 * COUNT }, () => place(residues()));
  const pairs = heap.allocate(8 * COUNT);
  heap.words(pairs, 2 * COUNT).set(addresses);
  return {
    variant: runtime.variant,
    transform: () => kernels.forward(x, x, table, 8 * N, LOG_N, PRIME),
    sum: () => kernels.sumOfProducts(dst, pairs, COUNT, 0, N, BITS, PRIME, 0),
    limbs: () => [heap.doubles(x, N), heap.doubles(dst, N)].map((limb) => Array.from(limb)),
    dispose: () => runtime.dispose(),
  };
}
