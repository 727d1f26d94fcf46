import type { LayersModel } from '@tensorflow/tfjs-layers';
import { HeError, type Program } from 'tfjs-he-backend';
import { type Client, createClient, pack } from 'tfjs-he-backend/client';
import { createServer, type Session } from 'tfjs-he-backend/server';
import type { DecoderStep } from 'tfjs-power-softmax';
import { InputError } from '../errors.js';
import type { HeMetadata } from '../pretrained/config.js';
import { takeTurn } from '../turns.js';
import { type CompiledDefaults, compiledDefaults, parametersFor } from './he_defaults.js';

/**
 * What is tried in turn: log2 of the largest value at a refresh, and bits of precision. Polynomials on wide intervals amplify noise until values overflow, which more
 * room alone does not help.
 */
const TRIES = [
  [6, 12],
  [8, 12],
  [10, 12],
  [14, 16],
  [20, 20],
  [30, 24],
] as const;

/**
 * Parameters under which a model runs these inputs in simulation without an overflow, and what the model then takes.
 *
 * @param inputs embedded, `[tokens * features]` each
 * @throws InputError if values overflow whatever the parameters, HeError if it cannot be compiled, or the reason of an aborted signal
 */
export async function fittingDefaults(
  model: LayersModel,
  inputs: readonly Float32Array[],
  signal: AbortSignal | undefined,
): Promise<CompiledDefaults> {
  return fitting(
    (parameters) => compiledDefaults(model, { parameters, signal }),
    async (client, session) => {
      for (const input of inputs) {
        await takeTurn(signal);
        await session.run(
          encrypted(client, () => input),
          refreshedBy(client),
        );
      }
    },
  );
}

/**
 * The same of a language model that reads one token at a time.
 *
 * @param windows embedded texts, `[tokens * features]` each
 */
export async function fittingStepDefaults(
  step: DecoderStep,
  windows: readonly Float32Array[],
  signal: AbortSignal | undefined,
): Promise<CompiledDefaults> {
  const state = Object.fromEntries(step.states.map(({ name, output }) => [name, output]));
  const features = step.model.inputs[0]?.shape.at(-1) ?? 1;
  return fitting(
    (parameters) => compiledDefaults(step.model, { parameters, state, signal }),
    async (client, session) => {
      for (const window of windows) {
        const sequence = session.sequence(client.encrypt(emptyState(client)));
        for (let t = 0; t < window.length / features; t += 1) {
          const token = window.subarray(t * features, (t + 1) * features);
          await takeTurn(signal);
          await sequence.run(
            encrypted(client, (name) => (name === 'share' ? [step.share(t)] : token)),
            refreshedBy(client),
          );
        }
        sequence.dispose();
      }
    },
  );
}

async function fitting(
  compiled: (parameters: HeMetadata['parameters']) => Promise<CompiledDefaults>,
  run: (client: Client, session: Session) => Promise<void>,
): Promise<CompiledDefaults> {
  for (const [valueBits, precisionBits] of TRIES) {
    const tried = await compiled(parametersFor(valueBits, precisionBits));
    if (await succeeds(tried.program, run)) return tried;
  }
  throw new InputError('The polynomial overflows on its own inputs: train the model until its functions have narrow intervals.', {
    tried: TRIES.map(String),
  });
}

/** Whether a simulation ends without an overflow. */
async function succeeds(program: Program, run: (client: Client, session: Session) => Promise<void>): Promise<boolean> {
  const server = await createServer(program, { engine: 'mock', seed: 1 });
  try {
    const client = await createClient(server.manifest, { engine: 'mock', seed: 1 });
    await run(client, await server.openSession(await client.evaluationKeys()));
    return true;
  } catch (error) {
    if (error instanceof HeError && error.code === 'VALUE_OVERFLOW') return false;
    throw error;
  } finally {
    server.dispose();
  }
}

/** @param valuesOf values of the input of a name */
function encrypted(client: Client, valuesOf: (name: string) => ArrayLike<number>): Uint8Array[] {
  const { slots } = client.parameters;
  return client.encrypt(client.manifest.inputs.flatMap((layout) => pack(valuesOf(layout.name), layout, slots)));
}

function emptyState({ manifest: { state = [] }, parameters }: Client): Float64Array[] {
  return state.flatMap(({ ciphertexts }) => Array.from({ length: ciphertexts }, () => new Float64Array(parameters.slots)));
}

function refreshedBy(client: Client) {
  return { refresh: async (ciphertexts: Uint8Array[]) => client.refresh(ciphertexts) };
}
