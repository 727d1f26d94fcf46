import type { Parameters } from 'tfjs-he-backend';
import { createClient } from 'tfjs-he-backend/client';
import { createSealEngine } from '../dist/engines/seal.js';
import { createSealRuntime } from '../dist/engines/seal_runtime.js';
import { createSimdEngine } from '../dist/engines/simd.js';
import { createSimdRuntime, type SimdRuntime } from '../dist/engines/simd_runtime.js';
import { splitEvaluationKeys } from '../dist/wire/evaluation_keys.js';
import { manifestParameters } from '../dist/wire/manifest.js';
import { keysManifest } from '../test/support/keys_manifest.ts';

export type OpenedEngines = Awaited<ReturnType<typeof openEngines>>;

export interface OpenedSimd {
  readonly engine: ReturnType<typeof createSimdEngine>;
  readonly runtime: SimdRuntime;
  /** Finishes what the engine has put off: its results are lazy, and their sums are due when they are read. */
  settle(c: ReturnType<OpenedSimd['engine']['load']>): void;
}

/** A client, the node-seal engine with its keys, and as many simd engines with the same keys as are asked for, all without a program. */
export async function openEngines(parameters: Parameters, galoisSteps: readonly number[]) {
  const client = await createClient(keysManifest(manifestParameters(parameters), galoisSteps), { engine: 'seal' });
  const keys = splitEvaluationKeys(await client.evaluationKeys(), 'seal', parameters, galoisSteps);
  const sealRuntime = await createSealRuntime(parameters);
  const seal = createSealEngine(sealRuntime, keys);
  const opened: { close(): void }[] = [];
  return {
    parameters,
    client,
    seal,
    sealRuntime,
    async openSimd(threads: number): Promise<OpenedSimd> {
      const runtime = await createSimdRuntime(parameters, { threads });
      const engine = createSimdEngine(runtime, keys);
      opened.push({
        close() {
          engine.close();
          runtime.dispose();
        },
      });
      const settle: OpenedSimd['settle'] = (c) => {
        runtime.values.settle(c.read('bench').value);
      };
      return { engine, runtime, settle };
    },
    close() {
      for (const each of opened) each.close();
      seal.close();
      sealRuntime.dispose();
      client.dispose();
    },
  };
}
