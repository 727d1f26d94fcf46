import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { IntervalCheck, PolynomialModel } from 'tfjs-power-softmax';
import type { Accuracies, FileDigest, HeMetadata, ModelConfig } from '../pretrained/config.js';
import type { EmbeddingWeights } from '../text/token_embedding.js';
import type { TokenizerJson } from '../text/tokenizer_json.js';
import { modelCard } from './card.js';
import type { Recipe } from './recipe.js';

/** Everything that a shipped model consists of. */
export interface TrainedModel {
  readonly name: string;
  readonly recipe: Recipe;
  readonly labels: readonly string[];
  readonly tokenizer: TokenizerJson;
  readonly embedding: EmbeddingWeights;
  readonly polynomial: PolynomialModel;
  readonly maxInput: number;
  readonly maxLogit: number;
  readonly devQuestions: number;
  readonly accuracy: Accuracies;
  /** From the development questions. */
  readonly intervals: readonly IntervalCheck[];
}

/** Writes a model's folder: configuration with digests, both parts' weights, tokenizer and card. */
export async function writeArtefacts(directory: string, trained: TrainedModel): Promise<ModelConfig> {
  const { modelJson, weights } = await serialiseModel(trained.polynomial.model);
  const { token, position, gamma, beta } = trained.embedding;
  const contents: Readonly<Record<string, Uint8Array>> = {
    'tokenizer.json': jsonBytes(trained.tokenizer),
    'embedding.bin': littleEndian([token, position, gamma, beta]),
    'he.json': jsonBytes(heMetadata(trained)),
    'model.json': jsonBytes(modelJson),
    'weights.bin': weights,
  };
  const { architecture } = trained.recipe;
  const config: ModelConfig = {
    name: trained.name,
    format: 1,
    architecture,
    labels: trained.labels,
    embedding: { vocabularySize: token.length / gamma.length, features: architecture.features, maxTokens: architecture.maxTokens },
    recipe: trained.recipe,
    devQuestions: trained.devQuestions,
    accuracy: trained.accuracy,
    outsideIntervals: trained.intervals.reduce((sum, { outside }) => sum + outside, 0),
    approximatedValues: trained.intervals.reduce((sum, { count }) => sum + count, 0),
    parameters: { client: token.length + position.length + gamma.length + beta.length, server: weights.length / 4 },
    files: Object.fromEntries(Object.entries(contents).map(([name, bytes]) => [name, digest(bytes)])),
  };
  await mkdir(directory, { recursive: true });
  for (const [name, bytes] of Object.entries(contents)) await writeFile(join(directory, name), bytes);
  await writeFile(join(directory, 'config.json'), jsonBytes(config));
  await writeFile(join(directory, 'README.md'), modelCard(config, heMetadata(trained)));
  return config;
}

function heMetadata({ polynomial, recipe, labels, maxInput, maxLogit }: TrainedModel): HeMetadata {
  const { maxTokens, features } = recipe.architecture;
  return {
    inputShape: [1, maxTokens, features],
    outputShape: [1, labels.length],
    maxInput,
    maxLogit,
    approximations: polynomial.report.sites.map(({ site, function: name, interval, degree, depth, maxError }) => ({
      site,
      function: name,
      interval,
      degree,
      depth,
      maxError,
    })),
  };
}

/** A model in the tfjs layers format: `model.json` naming one shard `weights.bin`. */
async function serialiseModel(model: LayersModel): Promise<{ readonly modelJson: object; readonly weights: Uint8Array }> {
  const captured: io.ModelArtifacts[] = [];
  await model.save(
    io.withSaveHandler(async (artifacts) => {
      captured.push(artifacts);
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const [artifacts] = captured;
  if (artifacts === undefined || artifacts.weightData === undefined) throw new TypeError('tfjs saved no weights.');
  const { modelTopology, weightSpecs, weightData, format, generatedBy } = artifacts;
  return {
    modelJson: { format, generatedBy, modelTopology, weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }] },
    weights: new Uint8Array(io.CompositeArrayBuffer.join(weightData)),
  };
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

function digest(bytes: Uint8Array): FileDigest {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function littleEndian(parts: readonly Float32Array[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * parts.reduce((total, part) => total + part.length, 0)));
  let offset = 0;
  for (const part of parts) {
    for (const value of part) {
      view.setFloat32(offset, value, true);
      offset += 4;
    }
  }
  return new Uint8Array(view.buffer);
}
