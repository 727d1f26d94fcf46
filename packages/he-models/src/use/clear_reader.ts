import { enableProdMode, fill, ready, type Tensor, tensor, tidy, zeros } from '@tensorflow/tfjs-core';
import type { DecoderStep } from 'tfjs-power-softmax';
import { type LoadOptions, openModel } from '../hub/model_files.js';
import { SERVER_BUNDLES } from '../pretrained/server_bundles.js';
import { loadServerModel } from '../pretrained/server_model.js';
import { clearLogits } from './clear_model.js';
import type { HeModelClient } from './he_model_client.js';
import { stepModel } from './step_model.js';
import { type OpenText, readWindows, type TextReader } from './text_reader.js';

/** Reads texts in the clear, on the current tfjs backend. @throws UnknownModelError, ModelUnavailableError, AssetError */
export async function loadClearReader(client: HeModelClient, model: string | URL, options: LoadOptions = {}): Promise<TextReader> {
  enableProdMode();
  await ready();
  const files = await openModel(model, SERVER_BUNDLES, options);
  const { model: plain, he } = await loadServerModel(files);
  const step = stepModel(files.config, plain);
  if (step === undefined) {
    const begin = readWindows(client.inputShape[1], client.labels.length, async (ids, { signal }) => {
      signal?.throwIfAborted();
      return clearLogits(plain, client.embed(ids), he.inputShape);
    });
    return { begin, dispose: () => plain.dispose() };
  }
  plain.dispose();
  return { begin: () => readSteps(client, step), dispose: () => step.model.dispose() };
}

function readSteps(client: HeModelClient, { model, states, share }: DecoderStep): OpenText {
  let state = tidy(() => states.map(({ shape }) => zeros([...shape])));
  let position = 0;
  const readOne = (token: number): Float32Array => {
    const before = state;
    let logits: Float32Array = new Float32Array();
    state = tidy(() => {
      const embedded = tensor(client.embedToken(token), [1, 1, client.inputShape[2]]);
      const results = model.predictOnBatch([embedded, fill([1, 1, 1], share(position)), ...before]);
      const outputs: readonly Tensor[] = Array.isArray(results) ? results : [results];
      logits = Float32Array.from(outputs[0]?.dataSync() ?? []);
      return states.flatMap(({ output }) => outputs[output] ?? []);
    });
    position += 1;
    for (const tensor of before) tensor.dispose();
    return logits;
  };
  return {
    read: async (tokens, { signal } = {}) => {
      let logits: Float32Array = new Float32Array();
      for (const token of tokens) {
        signal?.throwIfAborted();
        logits = readOne(token);
      }
      return logits;
    },
    dispose: () => {
      for (const tensor of state) tensor.dispose();
      state = [];
    },
  };
}
