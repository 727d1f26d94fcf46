import type { HeModelClient } from './he_model_client.js';
import { type LocalPair, openLocalPair, type PairOptions } from './local_pair.js';
import { type OpenText, type ReadOptions, readWindows, type TextReader } from './text_reader.js';

/** Client and server of a language model in this process. */
export interface LocalReader extends TextReader {
  readonly pair: LocalPair;
  /** Whether keys and values of tokens read stay at the server; otherwise every token is a run over the whole context. */
  readonly cached: boolean;
}

/** Reads texts encrypted; keys and values of the tokens read stay at the server, until the text is disposed of. @throws as `openLocalPair` */
export async function openLocalReader(client: HeModelClient, model: string | URL, options: PairOptions): Promise<LocalReader> {
  const pair = await openLocalPair(client, model, options);
  const cached = pair.server.manifest.state !== undefined;
  const window = readWindows(client.inputShape[1], client.labels.length, async (ids, { onRun, ...rest }) => {
    const run = await pair.infer(ids, rest);
    onRun?.(run);
    return run.logits;
  });
  return { pair, cached, begin: cached ? () => readSteps(pair) : window, dispose: pair.dispose };
}

function readSteps({ client, session, measure }: LocalPair): OpenText {
  const sequence = session.sequence(client.encryptState());
  const readOne = async (token: number, { onRun, ...options }: ReadOptions): Promise<Float32Array> => {
    const run = await measure(
      () => client.encryptToken(token, sequence.length),
      (inputs, runOptions) => sequence.run(inputs, runOptions),
      options,
    );
    onRun?.(run);
    return run.logits;
  };
  return {
    read: async (tokens, options = {}) => {
      let logits: Float32Array = new Float32Array();
      for (const token of tokens) logits = await readOne(token, options);
      return logits;
    },
    dispose: () => sequence.dispose(),
  };
}
