import type { IntervalCheck, PolynomialModel } from 'tfjs-power-softmax';
import type { LlamaConfig } from '../../llama/checkpoint.js';
import { piecesOf } from '../../llama/tokenizer.js';
import type { GenerationConfig, HeMetadata } from '../../pretrained/config.js';
import { approximationSummaries } from '../artefacts.js';
import { heDefaults, parametersFor } from '../he_defaults.js';
import { digestsOf, jsonBytes, littleEndian, serialiseModel, writeModelFolder } from '../model_folder.js';
import type { StoryData } from './prepare_stories.js';
import { storyCard } from './story_card.js';
import type { StoryRecipe } from './story_recipe.js';

/** Mean cross-entropies on the held-out text, in nats a token, in windows of the model's context. */
export interface StoryLosses {
  /** The original. */
  readonly softmax: number;
  /** Trained form: PowerSoftmax with exact reciprocal, inverse square root and SiLU. */
  readonly powerSoftmax: number;
  /** As shipped. */
  readonly polynomial: number;
}

/** `config.json` of a language model that the training command wrote. */
export interface TrainedStoryConfig extends GenerationConfig {
  readonly architecture: LlamaConfig;
  readonly recipe: StoryRecipe;
  /** Tokens behind the losses. */
  readonly heldOutTokens: number;
  readonly loss: StoryLosses;
  /** Share of held-out tokens where the shipped form and another have the same likeliest successor, in [0, 1]. */
  readonly sameTop1: { readonly softmax: number; readonly powerSoftmax: number };
  /** How many of the values to be approximated were outside their interval on the held-out text. */
  readonly outsideIntervals: number;
  readonly approximatedValues: number;
  /** Numbers of weights on either side. */
  readonly parameters: { readonly client: number; readonly server: number };
}

/** Everything that a shipped language model consists of. */
export interface TrainedStories {
  readonly name: string;
  readonly data: StoryData;
  readonly recipe: StoryRecipe;
  readonly polynomial: PolynomialModel;
  readonly heldOutTokens: number;
  readonly loss: StoryLosses;
  readonly sameTop1: TrainedStoryConfig['sameTop1'];
  readonly maxLogit: number;
  /** From the held-out text. */
  readonly intervals: readonly IntervalCheck[];
}

/** Of the ring degrees the least that has room for a layer's keys and values is the fastest. */
function stepParameters({ heads, features }: LlamaConfig, { tokens, conversion }: StoryRecipe): HeMetadata['stepParameters'] {
  const slots = [tokens, heads, (2 * features) / heads].reduce((product, size) => product * 2 ** Math.ceil(Math.log2(size)), 1);
  return { securityBits: 128, precisionBits: 12, valueBits: conversion.stepValueBits, polyModulusDegrees: [Math.max(8192, 2 * slots)] };
}

/** Writes a language model's folder: configuration with digests, both parts' weights, tokenizer and card. @throws as `writeArtefacts` */
export async function writeStoryArtefacts(directory: string, trained: TrainedStories, signal?: AbortSignal): Promise<TrainedStoryConfig> {
  const { name, data, recipe, polynomial, intervals, heldOutTokens, loss, sameTop1 } = trained;
  const { config: architecture, embedding } = data.checkpoint;
  const { features, vocabulary } = architecture;
  const { tokens } = recipe;
  const he: HeMetadata = {
    inputShape: [1, tokens, features],
    outputShape: [1, tokens, vocabulary],
    maxInput: embedding.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    maxLogit: trained.maxLogit,
    approximations: approximationSummaries(polynomial),
    tokens,
    ...(await heDefaults(polynomial.model, { parameters: parametersFor(recipe.conversion.valueBits), signal })),
    stepParameters: stepParameters(architecture, recipe),
  };
  const { modelJson, weights } = await serialiseModel(polynomial.model);
  const contents = {
    'tokenizer.json': jsonBytes(data.tokenizer),
    'embedding.bin': littleEndian([embedding]),
    'he.json': jsonBytes(he),
    'model.json': jsonBytes(modelJson),
    'weights.bin': weights,
  };
  const config: TrainedStoryConfig = {
    name,
    format: 1,
    task: 'text-generation',
    labels: piecesOf(data.tokenizer, vocabulary),
    embedding: { vocabularySize: vocabulary, features, maxTokens: tokens },
    power: recipe.p,
    architecture,
    recipe,
    heldOutTokens,
    loss,
    sameTop1,
    outsideIntervals: intervals.reduce((sum, { outside }) => sum + outside, 0),
    approximatedValues: intervals.reduce((sum, { count }) => sum + count, 0),
    parameters: { client: embedding.length, server: weights.length / 4 },
    files: digestsOf(contents),
  };
  await writeModelFolder(directory, config, contents, storyCard(config, he));
  return config;
}
