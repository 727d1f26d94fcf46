import '@tensorflow/tfjs-backend-cpu';
import { enableProdMode } from '@tensorflow/tfjs-core';
import { fromPretrained } from 'he-models';
import { compile } from 'tfjs-he-backend';
import { createServer, type Server, type ServerEngine } from 'tfjs-he-backend/server';

/** Loads a pretrained model, compiles it and forgets the plain weights. @throws UnknownModelError, HeError. */
export async function hostModel(name: string, engine: ServerEngine): Promise<Server> {
  enableProdMode(); // no advertisement for tfjs-node on the console
  const { model } = await fromPretrained(name);
  try {
    return await createServer(await compile(model), { engine });
  } finally {
    model.dispose();
  }
}
