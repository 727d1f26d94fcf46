import { EmptyTextError } from '../errors.js';
import { argMax } from '../train/metrics.js';
import type { AgreementOptions, AgreementReport } from './agreement.js';
import { loadClearReader } from './clear_reader.js';
import { compareLogits, type DifferenceSummary, type LogitDifference, summarise } from './compare_logits.js';
import { continueText } from './continue_text.js';
import type { ModelInput } from './encoder.js';
import { HeModelClient } from './he_model_client.js';
import type { Inference } from './local_pair.js';
import { openLocalReader } from './local_reader.js';
import { type RunFigures, runFigures } from './run_figures.js';
import type { OpenText, TextReader } from './text_reader.js';

/** How an encrypted language model compares with the clear polynomial one. Times, refreshes and bytes are of one token. */
export interface GenerationReport extends Pick<AgreementReport, 'model' | 'fhe' | 'sameTop1'>, DifferenceSummary, RunFigures {
  /** Whether keys and values were kept at the server; otherwise every token was a run over the whole context. */
  readonly cached: boolean;
  readonly texts: number;
  /** Tokens whose successor's logits `sameTop1` and the differences are of: those of the texts, and those written. */
  readonly read: number;
  /** What was continued greedily, the client feeding tokens back, and how it went on, encrypted. */
  readonly prompt: string;
  readonly continuation: string;
  /** How many tokens were written, and how many of them before the first difference. */
  readonly written: number;
  readonly sameWritten: number;
}

export interface GenerationAgreementOptions extends AgreementOptions {
  /** Tokens to write, 0 for none. Default 20. */
  readonly newTokens?: number;
  /** What to continue. Default: the first five tokens of the first text. */
  readonly prompt?: string;
  /** False: whole windows instead of a cache of keys and values. */
  readonly cache?: boolean;
}

/** Tokens of the first text that the continuation begins with. */
const PROMPT = 5;

/**
 * Reads texts token by token, encrypted and in the clear, and compares the logits; then has both continue a prompt.
 *
 * @param inputs texts or their tokens, each of at least one token; of longer ones the last tokens that fit the context. None: the prompt alone is continued
 * @throws as `pipeline` and its calls; EmptyTextError if there is nothing to read
 */
export async function measureGeneration(
  model: string | URL,
  inputs: readonly ModelInput[],
  options: GenerationAgreementOptions,
): Promise<GenerationReport> {
  const { fhe, onInput, signal, newTokens = 20 } = options;
  const client = await HeModelClient.from_pretrained(model, options);
  const tokensOf = (input: ModelInput): readonly number[] =>
    typeof input === 'string' ? client.tokenize(input, { truncate: true }).ids : Array.from(input);
  const texts = inputs.map(tokensOf);
  const prompt = options.prompt === undefined ? (texts[0] ?? []).slice(0, PROMPT) : tokensOf(options.prompt);
  const total = texts.reduce((sum, text) => sum + text.length, newTokens);
  if (total === 0 || (prompt.length === 0 && newTokens > 0))
    throw new EmptyTextError('There is no text to read: give one, or a prompt.', {});
  const clear = await loadClearReader(client, model, options);
  const start = performance.now();
  const encrypted = await openLocalReader(client, model, options);
  const setupMs = performance.now() - start;
  const runs: Inference[] = [];
  const differences: LogitDifference[] = [];
  let same = 0;
  const readOptions = { onRun: (run: Inference) => runs.push(run), ...(signal === undefined ? {} : { signal }) };
  const compare = (logits: Float32Array, expected: Float32Array): void => {
    differences.push(compareLogits(logits, expected));
    if (argMax(logits) === argMax(expected)) same += 1;
    onInput?.(differences.length, total);
  };
  try {
    for (const text of texts) {
      const [a, b] = [encrypted.begin(), clear.begin()];
      for (const token of text) compare(await a.read([token], readOptions), await b.read([token]));
      a.dispose();
      b.dispose();
    }
    const [end] = client.config.task === 'text-generation' && client.config.special !== undefined ? [client.config.special.end] : [];
    const write = async (reader: TextReader, read: (open: OpenText, tokens: readonly number[]) => Promise<Float32Array>) => {
      if (newTokens === 0) return [];
      const open = reader.begin();
      const written = await continueText(prompt, newTokens, {
        read: (tokens) => read(open, tokens),
        ...(end === undefined ? {} : { end }),
      });
      open.dispose();
      return written;
    };
    const clearLogits: Float32Array[] = [];
    const expected = await write(clear, async (open, tokens) => {
      const logits = await open.read(tokens);
      clearLogits.push(logits);
      return logits;
    });
    let places = 0;
    const written = await write(encrypted, async (open, tokens) => {
      const logits = await open.read(tokens, readOptions);
      const inClear = clearLogits[places];
      // From the first other token on, the two read different texts.
      places = inClear !== undefined && argMax(inClear) === argMax(logits) ? places + 1 : clearLogits.length;
      if (inClear !== undefined) compare(logits, inClear);
      return logits;
    });
    const differs = written.findIndex((token, i) => token !== expected[i]);
    return {
      model: client.name,
      fhe,
      cached: encrypted.cached,
      texts: texts.length,
      read: differences.length,
      sameTop1: same / differences.length,
      ...summarise(differences),
      prompt: options.prompt ?? client.decode(prompt).trimStart(),
      continuation: client.decode(written),
      written: written.length,
      sameWritten: differs === -1 ? written.length : differs,
      ...runFigures(encrypted.pair, runs, setupMs),
    };
  } finally {
    encrypted.dispose();
    clear.dispose();
  }
}
