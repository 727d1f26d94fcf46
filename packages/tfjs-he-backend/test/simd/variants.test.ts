import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createSimdRuntime } from '../../src/engines/simd_runtime.js';
import { Heap } from '../../src/simd/heap.js';
import { loadKernels } from '../../src/simd/kernels.js';
import { smallParameters } from '../support/engine_pair.js';

afterEach(() => {
  jest.restoreAllMocks();
});

const RELAXED_MADD = [0xfd, 0x87, 0x02];

/** A runtime that refuses modules for which `refuses` is true. */
function refuseModules(refuses: (module: Uint8Array) => boolean): void {
  const { validate } = WebAssembly;
  jest.spyOn(WebAssembly, 'validate').mockImplementation((bytes) => !refuses(bytes as Uint8Array) && validate(bytes));
}
const usesRelaxedSimd = (module: Uint8Array) =>
  module.some((byte, i) => byte === RELAXED_MADD[0] && module[i + 1] === RELAXED_MADD[1] && module[i + 2] === RELAXED_MADD[2]);

/** A machine whose relaxed multiply-add rounds twice. */
function splitMultiplyAdd(): void {
  const instantiate = WebAssembly.instantiate as (
    bytes: BufferSource,
    imports?: WebAssembly.Imports,
  ) => Promise<WebAssembly.WebAssemblyInstantiatedSource>;
  jest.spyOn(WebAssembly, 'instantiate').mockImplementation((async (bytes: BufferSource, imports?: WebAssembly.Imports) => {
    const { instance, module } = await instantiate(bytes, imports);
    return { module, instance: { exports: { ...instance.exports, isFused: () => 0 } } };
  }) as unknown as typeof WebAssembly.instantiate);
}

describe('kernels are chosen', () => {
  const choice = async () => (await loadKernels(new Heap().memory)).variant;

  test('without, where the runtime has no relaxed SIMD', async () => {
    refuseModules(usesRelaxedSimd);
    expect(await choice()).toBe('plain');
    await expect(loadKernels(new Heap().memory, 'fused')).rejects.toMatchObject({ code: 'RUNTIME_UNSUPPORTED' });
  });

  test('without, where relaxed multiply-add rounds twice', async () => {
    splitMultiplyAdd();
    expect(await choice()).toBe('plain');
    await expect(loadKernels(new Heap().memory, 'fused')).rejects.toMatchObject({ code: 'RUNTIME_UNSUPPORTED' });
  });

  test('not at all where the runtime has no SIMD, and the error says what to use', async () => {
    refuseModules(() => true);
    await expect(choice()).rejects.toMatchObject({ code: 'RUNTIME_UNSUPPORTED', hint: expect.stringContaining('engine seal') });
  });

  test('once, when a runtime is made, which tells', async () => {
    refuseModules(usesRelaxedSimd);
    const runtime = await createSimdRuntime(smallParameters(1024, [40, 30, 40]), { threads: 2 });
    jest.restoreAllMocks();
    expect([runtime.variant, runtime.runner.threads]).toEqual(['plain', 1]);
    runtime.dispose();
  });
});
