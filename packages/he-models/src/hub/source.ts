import { ModelUnavailableError, UnknownModelError } from '../errors.js';
import { nodeParts } from '../node_modules.js';
import { fileBytes } from '../pretrained/assets.js';
import { type Bundles, PRETRAINED_NAMES } from '../pretrained/registry.js';
import { env } from './env.js';

export interface ReadOptions {
  readonly signal: AbortSignal | undefined;
  /** Bytes so far, and in all where that is known (else 0). */
  readonly onBytes: (loaded: number, total: number) => void;
  /** Most bytes that are read. */
  readonly limit: number;
}

/** A place with the files of one model. Nothing read from it has been checked. */
export interface ModelSource {
  readonly name: string;
  /** Whether a cache saves time. */
  readonly remote: boolean;
  readonly read: (file: string, options: ReadOptions) => Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Finds the place that a model's name means: a model of this package; a URL; a folder (a path, or a name inside `env.localModelPath`); or
 * `owner/name` at `env.remoteHost`.
 *
 * @param bundles halves of the models of this package
 * @throws UnknownModelError where it means none of them, or `env` forbids it
 */
export async function findSource(model: string | URL, revision: string, bundles: Bundles): Promise<ModelSource> {
  const name = String(model);
  const bundled = PRETRAINED_NAMES.find((known) => known === name);
  if (bundled !== undefined) {
    return { name, remote: false, read: async (file) => fileBytes((await bundles[bundled]()).default, file) };
  }
  if (/^https?:\/\//.test(name)) return remoteSource(name, name);
  const folder = await findFolder(name);
  if (folder !== undefined) return folderSource(name, folder);
  if (/^\w[\w.-]*\/\w[\w.-]*$/.test(name)) {
    const path = env.remotePathTemplate.replace('{model}', name).replace('{revision}', encodeURIComponent(revision));
    return remoteSource(name, new URL(path, env.remoteHost).href);
  }
  throw new UnknownModelError(
    `There is no pretrained model ${name}: choose one of ${PRETRAINED_NAMES.join(', ')}, a folder, a URL or owner/name.`,
    { name, known: PRETRAINED_NAMES },
  );
}

async function findFolder(name: string): Promise<string | undefined> {
  const node = nodeParts();
  if (!env.allowLocalModels || node === undefined) return undefined;
  const { fs, path, url } = node;
  const candidates = name.startsWith('file:') ? [url.fileURLToPath(name)] : [path.resolve(name), path.resolve(env.localModelPath, name)];
  for (const candidate of candidates) {
    const found = await fs.stat(path.join(candidate, 'config.json')).catch(() => undefined);
    if (found?.isFile()) return candidate;
  }
  return undefined;
}

function folderSource(name: string, folder: string): ModelSource {
  return {
    name,
    remote: false,
    read: async (file, { onBytes, limit, signal }) => {
      const node = nodeParts();
      if (node === undefined) throw new ModelUnavailableError('Folders can be read in Node only.', { folder });
      try {
        const { size } = await node.fs.stat(node.path.join(folder, file));
        if (size > limit) throw tooLarge(file, limit);
        const bytes = await node.fs.readFile(node.path.join(folder, file), signal === undefined ? {} : { signal });
        onBytes(bytes.length, bytes.length);
        return Uint8Array.from(bytes);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof ModelUnavailableError) throw error;
        throw new ModelUnavailableError(`Cannot read ${file} in ${folder} (${messageOf(error)}): check the model's folder.`, {
          file,
          folder,
        });
      }
    },
  };
}

function remoteSource(name: string, address: string): ModelSource {
  if (!env.allowRemoteModels) {
    throw new UnknownModelError(`${name} would have to be fetched, which env.allowRemoteModels forbids: give a folder or allow it.`, {
      name,
    });
  }
  const base = new URL(address.endsWith('/') ? address : `${address}/`);
  return {
    name,
    remote: true,
    read: async (file, { onBytes, limit, signal }) => {
      const { href } = new URL(file, base);
      try {
        const response = await env.fetch(href, { signal: signal ?? null });
        if (!response.ok) throw new ModelUnavailableError(`${href} answers ${response.status}: check the model's name.`, { url: href });
        return await bodyOf(response, file, limit, onBytes);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof ModelUnavailableError) throw error;
        throw new ModelUnavailableError(`Cannot fetch ${href} (${messageOf(error)}): check the address and the network.`, { url: href });
      }
    },
  };
}

async function bodyOf(response: Response, file: string, limit: number, onBytes: ReadOptions['onBytes']): Promise<Uint8Array<ArrayBuffer>> {
  const total = Number(response.headers.get('content-length') ?? 0);
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body?.getReader();
  for (let piece = await reader?.read(); piece !== undefined && !piece.done; piece = await reader?.read()) {
    loaded += piece.value.length;
    if (loaded > limit) {
      await reader?.cancel();
      throw tooLarge(file, limit);
    }
    chunks.push(piece.value);
    onBytes(loaded, total);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function tooLarge(file: string, limit: number): ModelUnavailableError {
  return new ModelUnavailableError(`${file} is larger than the ${limit} bytes it should have: the model is not what its name says.`, {
    file,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
