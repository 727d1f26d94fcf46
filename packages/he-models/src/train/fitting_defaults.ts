import { enableProdMode } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { HeError, type Program } from 'tfjs-he-backend';
import { createClient, pack } from 'tfjs-he-backend/client';
import { createServer } from 'tfjs-he-backend/server';
import type { HeMetadata } from '../pretrained/config.js';
import { compiledDefaults } from './he_defaults.js';

/** log2 of the largest value at a refresh: what is tried first, and then in these steps. */
const VALUE_BITS = { first: 6, step: 2 } as const;

/**
 * Parameters under which a model runs these inputs in simulation without an overflow, and what the model then takes.
 *
 * @param inputs embedded, `[tokens * features]` each
 * @throws HeError if it cannot be compiled for values as large as these inputs give
 */
export async function fittingDefaults(model: LayersModel, inputs: readonly Float32Array[]): ReturnType<typeof compiledDefaults> {
  enableProdMode(); // the compiler's backend would advertise tfjs' native package on the console
  for (let valueBits: number = VALUE_BITS.first; ; valueBits += VALUE_BITS.step) {
    const parameters: HeMetadata['parameters'] = { securityBits: 128, precisionBits: 12, valueBits };
    const { program, ...compiled } = await compiledDefaults(model, parameters);
    if (await runs(program, inputs)) return { program, ...compiled };
  }
}

async function runs(program: Program, inputs: readonly Float32Array[]): Promise<boolean> {
  const server = await createServer(program, { engine: 'mock', seed: 1 });
  try {
    const client = await createClient(server.manifest, { engine: 'mock', seed: 1 });
    const session = await server.openSession(await client.evaluationKeys());
    for (const input of inputs) {
      const packed = server.manifest.inputs.flatMap((layout) => pack(input, layout, client.parameters.slots));
      await session.run(client.encrypt(packed), { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
    }
    return true;
  } catch (error) {
    if (error instanceof HeError && error.code === 'VALUE_OVERFLOW') return false;
    throw error;
  } finally {
    server.dispose();
  }
}
