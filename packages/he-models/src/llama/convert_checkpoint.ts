import { jsonBytes, littleEndian, serialiseModel } from '../train/model_folder.js';
import { type LlamaCheckpoint, type LlamaConfig, parseLlamaCheckpoint } from './checkpoint.js';
import { buildLlama, setLlamaWeights } from './llama_model.js';
import { bytePairTokenizerJson, parseLlamaVocabulary } from './tokenizer.js';

export interface ConvertedLlama {
  readonly checkpoint: LlamaCheckpoint;
  readonly report: LlamaReport;
  /**
   * `model.json` and `weights.bin` (from embedded tokens `[tokens, features]` to logits, with softmax attention), `embedding.bin`
   * (`[vocabulary, features]`, little-endian float32), `tokenizer.json` of Hugging Face's format, and `report.json`.
   */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** What a converted checkpoint is, and what it lacks to run encrypted. */
export interface LlamaReport {
  readonly config: LlamaConfig;
  readonly tokens: number;
  /** Steps to a polynomial, in order. */
  readonly needs: readonly string[];
}

/**
 * A llama2.c checkpoint and its tokenizer as a tfjs `LayersModel` of this repository's layers with what a client needs beside it.
 *
 * @param tokens of an input; default and largest: those of the checkpoint
 * @throws AssetError for files that are no checkpoint or tokenizer
 */
export async function convertLlama(checkpointBytes: Uint8Array, tokenizerBytes: Uint8Array, tokens?: number): Promise<ConvertedLlama> {
  const checkpoint = parseLlamaCheckpoint(checkpointBytes);
  const { config, embedding } = checkpoint;
  const vocabulary = parseLlamaVocabulary(tokenizerBytes, config.vocabulary);
  const length = Math.min(tokens ?? config.maxTokens, config.maxTokens);
  const model = buildLlama({ config, tokens: length, attention: 'softmax' });
  setLlamaWeights(model, checkpoint);
  const { modelJson, weights } = await serialiseModel(model);
  model.dispose();
  const report: LlamaReport = {
    config,
    tokens: length,
    needs: [
      'PowerSoftmax in place of softmax: he-models convert DIR --swap-softmax 4',
      'training from there on text like its own (--sample writes some), with the range loss on reciprocals, inverse square roots and SiLU',
      'larger epsilons of the normalisations, to be trained with: 1e-5 leaves the inverse square roots no interval that a polynomial covers',
      'polynomials in place of these: he-models convert DIR --calibration FILE',
    ],
  };
  const files = {
    'model.json': jsonBytes(modelJson),
    'weights.bin': weights,
    'embedding.bin': littleEndian([embedding]),
    'tokenizer.json': jsonBytes(bytePairTokenizerJson(vocabulary)),
    'report.json': jsonBytes(report),
  };
  return { checkpoint, report, files };
}
