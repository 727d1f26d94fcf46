import { HeError } from '../errors.js';
import { FUSED, FUSED_SHARED, PLAIN } from './binaries.js';

/** Byte address in the arithmetic memory. */
export type Address = number;

/**
 * The functions of assembly/ (documented there) over one memory. Limbs are n doubles; `prime` is p, `bits` its bit length; tables are those of tables.ts.
 */
export interface Kernels {
  isFused(x: number): number;
  forward(dst: Address, src: Address, table: Address, overP: number, logN: number, prime: number): void;
  forwardSubtractScale(
    dst: Address,
    src: Address,
    scratch: Address,
    a: Address,
    d: Address,
    table: Address,
    overP: number,
    logN: number,
    c: number,
    prime: number,
  ): void;
  inverse(dst: Address, src: Address, table: Address, overP: number, logN: number, prime: number): void;
  add(dst: Address, a: Address, b: Address, n: number, prime: number): void;
  addRuns(dst: Address, a: Address, b: Address, logRun: number, n: number, prime: number): void;
  addScaled(dst: Address, a: Address, b: Address, n: number, c: number, prime: number): void;
  subtract(dst: Address, a: Address, b: Address, n: number, prime: number): void;
  negate(dst: Address, a: Address, n: number): void;
  scale(dst: Address, a: Address, n: number, c: number, prime: number): void;
  subtractScale(dst: Address, a: Address, b: Address, n: number, c: number, prime: number): void;
  toCanonical(dst: Address, a: Address, n: number, prime: number): void;
  toSymmetric(dst: Address, a: Address, n: number, prime: number): void;
  liftFor(dst: Address, a: Address, n: number, g: number, prime: number): void;
  permute(dst: Address, src: Address, table: Address, n: number): void;
  sumOfProducts(
    dst: Address,
    pairs: Address,
    count: number,
    logRun: number,
    n: number,
    bits: number,
    prime: number,
    accumulate: number,
  ): void;
  innerProducts(
    dst0: Address,
    dst1: Address,
    base0: Address,
    base1: Address,
    digits: Address,
    count: number,
    key: Address,
    parts: number,
    n: number,
    bits: number,
    prime: number,
  ): void;
  placeKey(dst: Address, src: Address, table: Address, n: number, parts: number, part: number, which: number, prime: number): void;
  expandUniform(limbs: Address, primes: Address, count: number, n: number, state: Address): void;
  fft(data: Address, roots: Address, logN: number, logRoots: number): void;
  roundCoefficients(out: Address, data: Address, twists: Address, logN: number, logTwists: number, factor: number): number;
  reduceLarge(dst: Address, src: Address, n: number, digits: number, prime: number): void;
}

/** `fused`: relaxed SIMD whose multiply-add rounds once. `plain`: exact products without it, about four times slower. */
export type Variant = 'fused' | 'plain';

const NAMES = [
  'isFused',
  'forward',
  'forwardSubtractScale',
  'inverse',
  'add',
  'addRuns',
  'addScaled',
  'subtract',
  'negate',
  'scale',
  'subtractScale',
  'toCanonical',
  'toSymmetric',
  'liftFor',
  'permute',
  'sumOfProducts',
  'innerProducts',
  'placeKey',
  'expandUniform',
  'fft',
  'roundCoefficients',
  'reduceLarge',
] as const satisfies readonly (keyof Kernels)[];

function isKernels(exports: object): exports is Kernels {
  return NAMES.every((name) => name in exports);
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** Whether this runtime has what the kernels are made of, WebAssembly SIMD. */
export function hasSimd(): boolean {
  return WebAssembly.validate(decode(PLAIN));
}

async function instantiate(bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): Promise<Kernels> {
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  if (!isKernels(instance.exports)) throw new TypeError('the module lacks kernels');
  return instance.exports;
}

/**
 * Kernels on a memory of at least one page: the fastest variant that is exact here. Whether relaxed_madd rounds once is up to the machine, so
 * it is asked. `only` skips the choice.
 * @throws HeError RUNTIME_UNSUPPORTED without WebAssembly SIMD (or, with `only: 'fused'`, without a fused multiply-add).
 */
export async function loadKernels(
  memory: WebAssembly.Memory,
  only?: Variant,
): Promise<{ readonly kernels: Kernels; readonly variant: Variant }> {
  const fused = decode(FUSED);
  if (only !== 'plain' && WebAssembly.validate(fused)) {
    const kernels = await instantiate(fused, memory);
    if (kernels.isFused(2 ** 27 + 1) === 1) return { kernels, variant: 'fused' };
  }
  const plain = decode(PLAIN);
  if (only !== 'fused' && WebAssembly.validate(plain)) return { kernels: await instantiate(plain, memory), variant: 'plain' };
  throw new HeError('RUNTIME_UNSUPPORTED', 'this runtime lacks WebAssembly SIMD', {
    op: 'load the simd engine',
    hint: 'Use the engine seal, or Node 22, Chrome 137, Firefox 131 or Safari 18.4 or later.',
  });
}

/** The fused kernels on a shared memory, with the module for other threads to instantiate. */
export async function loadSharedKernels(
  memory: WebAssembly.Memory,
): Promise<{ readonly kernels: Kernels; readonly module: WebAssembly.Module }> {
  const module = await WebAssembly.compile(decode(FUSED_SHARED));
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  if (!isKernels(instance.exports)) throw new TypeError('the module lacks kernels');
  return { kernels: instance.exports, module };
}
