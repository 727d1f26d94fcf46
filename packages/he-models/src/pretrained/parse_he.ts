import { AssetError } from '../errors.js';
import type { ModelFiles } from '../hub/model_files.js';
import { parseJson } from './assets.js';
import type { HeMetadata } from './config.js';

/** What a model's `he.json` says. @throws AssetError, ModelUnavailableError */
export async function readHe({ file }: Pick<ModelFiles, 'file'>): Promise<HeMetadata> {
  return parseHe(parseJson<unknown>(await file('he.json'), 'he.json'));
}

type Fields = Readonly<Record<string, unknown>>;

/** Checks what this package uses of a `he.json` that may come from anyone; the compiler checks its parameters. @throws AssetError which says what is wrong */
export function parseHe(value: unknown): HeMetadata {
  const he = fieldsOf(value) ?? fail('it is no object');
  for (const shape of ['inputShape', 'outputShape']) if (!isShape(he[shape])) fail(`its ${shape} is none`);
  if (!isCount(he.tokens)) fail('its tokens are no number');
  if (he.depth !== undefined && !isCount(he.depth)) fail('its depth is no number');
  if (fieldsOf(he.parameters) === undefined) fail('it has no parameters');
  if (he.stepParameters !== undefined && fieldsOf(he.stepParameters) === undefined) fail('its stepParameters are none');
  const { needs = [], approximations } = he;
  if (!Array.isArray(needs) || needs.some((need) => typeof need !== 'string')) fail('its needs are no list of sentences');
  if (!Array.isArray(approximations) || !approximations.every(isApproximation)) fail('it has no list of approximations');
  return value as HeMetadata; // what the type asks for has just been checked
}

function isApproximation(value: unknown): boolean {
  const { site, function: name, interval, degree, maxError } = fieldsOf(value) ?? {};
  if (typeof site !== 'string' || typeof name !== 'string' || !Number.isFinite(degree) || !Number.isFinite(maxError)) return false;
  return Array.isArray(interval) && interval.length === 2 && interval.every(Number.isFinite);
}

function isShape(value: unknown): boolean {
  return Array.isArray(value) && value.length >= 2 && value.length <= 3 && value.every(isCount);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : undefined;
}

function fail(what: string): never {
  throw new AssetError(`he.json is not that of a model for he-models: ${what}.`, { file: 'he.json' });
}
