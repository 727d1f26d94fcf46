import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AssetError, ModelUnavailableError } from '../errors.js';
import { parseSafetensors, readFloats, type SafetensorsEntry } from './safetensors.js';

/** Weights by the names that Hugging Face's `transformers` gives them. */
export interface CheckpointWeights {
  readonly names: readonly string[];
  /** @throws AssetError naming the tensor, if it is missing, of another shape or type, or not finite */
  readonly take: (name: string, shape: readonly number[]) => Float32Array;
}

const SINGLE_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';
/** A shard is one path segment: an index cannot name files outside of its folder. */
const SHARD_NAME = /^[\w-][\w.-]*\.safetensors$/;

/**
 * Reads `model.safetensors`, or the shards that `model.safetensors.index.json` names.
 *
 * @throws ModelUnavailableError if there is neither, AssetError for files that are not sound or differ from the index
 */
export async function readWeights(folder: string): Promise<CheckpointWeights> {
  const single = await readIfPresent(join(folder, SINGLE_FILE));
  if (single !== undefined) return weightsOf(located(single, SINGLE_FILE));
  const index = await readIfPresent(join(folder, INDEX_FILE));
  if (index !== undefined) return weightsOf(await readShards(folder, parseIndex(index)));
  throw new ModelUnavailableError(`${folder} has neither ${SINGLE_FILE} nor ${INDEX_FILE}: save the model with safe_serialization.`, {
    folder,
  });
}

interface Located {
  readonly file: string;
  readonly entry: SafetensorsEntry;
}

function located(bytes: Uint8Array, file: string): ReadonlyMap<string, Located> {
  return new Map([...parseSafetensors(bytes, file)].map(([name, entry]) => [name, { file, entry }]));
}

async function readShards(folder: string, fileOf: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Located>> {
  const all = new Map<string, Located>();
  for (const file of new Set(fileOf.values())) {
    const bytes = await readIfPresent(join(folder, file));
    if (bytes === undefined) throw new ModelUnavailableError(`Cannot read ${join(folder, file)}, which ${INDEX_FILE} names.`, { file });
    for (const [name, tensor] of located(bytes, file)) if (fileOf.get(name) === file) all.set(name, tensor);
  }
  const missing = [...fileOf.keys()].find((name) => !all.has(name));
  if (missing === undefined) return all;
  throw new AssetError(`${INDEX_FILE} says that tensor ${missing} is in ${String(fileOf.get(missing))}, and it is not: get both again.`, {
    tensor: missing,
  });
}

/** File of each tensor. */
function parseIndex(bytes: Uint8Array): ReadonlyMap<string, string> {
  const fail = (what: string): never => {
    throw new AssetError(`${INDEX_FILE} ${what}: get it again.`, { file: INDEX_FILE });
  };
  const map = new Map<string, string>();
  try {
    const { weight_map: weightMap } = JSON.parse(new TextDecoder().decode(bytes));
    for (const [name, file] of Object.entries(weightMap)) {
      if (typeof file === 'string' && SHARD_NAME.test(file)) map.set(name, file);
      else fail(`names ${JSON.stringify(file)}, which is no shard of its folder`);
    }
  } catch (error) {
    if (error instanceof AssetError) throw error;
    fail('has no weight_map');
  }
  return map;
}

function weightsOf(tensors: ReadonlyMap<string, Located>): CheckpointWeights {
  return {
    names: [...tensors.keys()],
    take: (name, shape) => {
      const found = tensors.get(name);
      if (found === undefined) {
        throw new AssetError(`The checkpoint has no tensor ${name}: its architecture is not what config.json says.`, { tensor: name });
      }
      const { file, entry } = found;
      if (entry.shape.length !== shape.length || entry.shape.some((size, axis) => size !== shape[axis])) {
        throw new AssetError(
          `Tensor ${name} of ${file} has shape [${entry.shape.join(', ')}], and config.json asks for [${shape.join(', ')}].`,
          { file, tensor: name },
        );
      }
      return readFloats(entry, file);
    },
  };
}

/** Undefined if there is no such file. @throws ModelUnavailableError if it cannot be read */
export async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    // No instanceof: errors of Node's own modules may come from another realm.
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new ModelUnavailableError(`Cannot read ${path} (${code}): check the file.`, { path });
  }
}
