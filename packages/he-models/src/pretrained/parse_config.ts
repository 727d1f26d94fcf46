import { AssetError } from '../errors.js';
import { type PretrainedConfig, TASKS, type Task } from './config.js';

/** A file's name is one path segment: a model cannot name files outside of its place. */
const FILE_NAME = /^[\w-][\w.-]*$/;
const SHA256 = /^[0-9a-f]{64}$/;
const MAX_FILE_BYTES = 1 << 30;
const GRID_SIZES = ['height', 'width', 'patchHeight', 'patchWidth', 'strideY', 'strideX'] as const;

type Fields = Readonly<Record<string, unknown>>;

/** Checks what this package uses of a `config.json` that may come from anyone. @throws AssetError which says what is wrong */
export function parseConfig(value: unknown): PretrainedConfig {
  const config = fields(value, 'it is no object');
  if (config.format !== 1) fail(`its format is ${String(config.format)}, not 1`);
  if (typeof config.name !== 'string' || config.name === '') fail('it has no name');
  const { task = 'text-classification', labels } = config;
  if (!isTask(task)) fail(`its task is none of ${TASKS.join(', ')}`);
  if (!Array.isArray(labels) || labels.length === 0 || labels.some((label) => typeof label !== 'string')) fail('it has no list of labels');
  const files = fields(config.files, 'it lists no files');
  for (const [name, digest] of Object.entries(files)) checkFile(name, fields(digest, `file ${name} has no digest`));
  checkEmbedding(task, fields(config.embedding, 'it has no embedding'));
  if (config.power !== undefined && !isCount(config.power)) fail('its power is no positive integer');
  if (config.special !== undefined) checkSpecial(fields(config.special, 'special names no tokens'));
  return value as PretrainedConfig; // what the type asks for has just been checked
}

function isTask(task: unknown): task is Task {
  return TASKS.some((known) => known === task);
}

function checkFile(name: string, { bytes, sha256 }: Fields): void {
  if (!FILE_NAME.test(name)) fail(`${JSON.stringify(name)} is no file name`);
  if (!isCount(bytes, MAX_FILE_BYTES) || typeof sha256 !== 'string' || !SHA256.test(sha256)) fail(`file ${name} has no length and SHA-256`);
}

function checkEmbedding(task: Task, embedding: Fields): void {
  const ofText = task === 'text-classification' || task === 'text-generation';
  const sizes = ofText ? ['vocabularySize', 'features', 'maxTokens'] : ['features'];
  for (const size of sizes) if (!isCount(embedding[size])) fail(`embedding.${size} is no positive integer`);
  const { normEpsilon = 0 } = embedding;
  if (typeof normEpsilon !== 'number' || !(normEpsilon >= 0 && normEpsilon <= 1)) fail('embedding.normEpsilon is no number from 0 to 1');
  if (ofText) return;
  const grid = fields(embedding.grid, 'embedding.grid is missing');
  for (const size of GRID_SIZES) if (!isCount(grid[size])) fail(`embedding.grid.${size} is no positive integer`);
  for (const size of ['paddingY', 'paddingX']) if (grid[size] !== 0 && !isCount(grid[size])) fail(`embedding.grid.${size} is no size`);
  if (!Number.isFinite(grid.offset) || !Number.isFinite(grid.scale) || grid.scale === 0) fail('embedding.grid needs offset and scale');
}

function checkSpecial({ begin, end }: Fields): void {
  for (const token of [begin, end]) if (token !== null && token !== 0 && !isCount(token)) fail('special.begin or special.end is no token');
}

function isCount(value: unknown, most = 1 << 20): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= most;
}

function fields(value: unknown, otherwise: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(otherwise);
  return Object.fromEntries(Object.entries(value));
}

function fail(what: string): never {
  throw new AssetError(`config.json is not that of a model for he-models: ${what}.`, { file: 'config.json' });
}
