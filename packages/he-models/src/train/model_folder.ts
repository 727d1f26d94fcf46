import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { FIGURES_FILE, figuresText, readFigures, weightsDigest } from '../cards/encrypted_figures.js';
import { withFigures } from '../cards/with_figures.js';
import type { FileDigest, PretrainedConfig } from '../pretrained/config.js';
import type { PlanFigures } from '../use/plan_figures.js';
import { writeTogether } from '../write_together.js';

/**
 * Writes a model's folder in the format that `pipeline` loads, all files or none. The card says of encrypted runs what the folder's `encrypted.json` has of the same weights.
 *
 * @param contents all files but `config.json` and the card; `config.files` has their digests
 * @param plan of the compiled model, for the card
 */
export async function writeModelFolder(
  directory: string,
  config: PretrainedConfig,
  contents: Readonly<Record<string, Uint8Array>>,
  card: string,
  plan?: PlanFigures,
): Promise<void> {
  const weights = weightsDigest(config);
  const measured = await readFigures(join(directory, FIGURES_FILE), weights);
  const figures = plan === undefined ? measured : { ...measured, format: 1 as const, weights, plan };
  await writeTogether(directory, {
    ...contents,
    'config.json': jsonBytes(config),
    ...(figures === undefined ? { 'README.md': card } : { 'README.md': withFigures(card, figures), [FIGURES_FILE]: figuresText(figures) }),
  });
}

/** A model in the tfjs layers format: `model.json` naming one shard `weights.bin`. */
export async function serialiseModel(model: LayersModel): Promise<{ readonly modelJson: object; readonly weights: Uint8Array }> {
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

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

/** Digests of files, for the configuration. */
export function digestsOf(contents: Readonly<Record<string, Uint8Array>>): Readonly<Record<string, FileDigest>> {
  const digest = (bytes: Uint8Array): FileDigest => ({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  return Object.fromEntries(Object.entries(contents).map(([name, bytes]) => [name, digest(bytes)]));
}

/** Float32 arrays, one after the other. */
export function littleEndian(parts: readonly Float32Array[]): Uint8Array {
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
