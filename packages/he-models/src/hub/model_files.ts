import { AssetError } from '../errors.js';
import { parseJson, requireDigest, sha256Of } from '../pretrained/assets.js';
import type { PretrainedConfig } from '../pretrained/config.js';
import { parseConfig } from '../pretrained/parse_config.js';
import type { Bundles } from '../pretrained/registry.js';
import { openCache } from './cache.js';
import type { ProgressCallback } from './progress.js';
import { findSource, type ModelSource } from './source.js';

/** How a model is loaded. */
export interface LoadOptions {
  readonly progress_callback?: ProgressCallback;
  readonly signal?: AbortSignal;
  /** Branch, tag or commit at the remote host. Default `main`. */
  readonly revision?: string;
  /**
   * SHA-256 of the model's `config.json`, hexadecimal. It holds the digests of all other files, so this pins a model that others host.
   */
  readonly config_sha256?: string;
}

/** An opened model: its configuration, and its files, each verified against the digest there. */
export interface ModelFiles {
  readonly name: string;
  readonly config: PretrainedConfig;
  /** @throws AssetError for a file that is not listed or differs, ModelUnavailableError, or the reason of an aborted signal */
  readonly file: (file: string) => Promise<Uint8Array<ArrayBuffer>>;
}

const CONFIG = 'config.json';
const MAX_CONFIG_BYTES = 4 << 20;

/**
 * Opens a model: finds its place and reads its configuration.
 *
 * @param bundles the halves of this package's models that the caller is about
 * @throws UnknownModelError, ModelUnavailableError, AssetError
 */
export async function openModel(model: string | URL, bundles: Bundles, options: LoadOptions = {}): Promise<ModelFiles> {
  const { signal, config_sha256: pinned } = options;
  signal?.throwIfAborted();
  const source = await findSource(model, options.revision ?? 'main', bundles);
  const bytes = await readWithEvents(source, CONFIG, MAX_CONFIG_BYTES, options);
  if (pinned !== undefined && sha256Of(bytes) !== pinned.toLowerCase()) {
    throw new AssetError(`${CONFIG} of ${source.name} is not the one pinned by config_sha256: someone has changed the model.`, {
      file: CONFIG,
      expected: pinned,
      actual: sha256Of(bytes),
    });
  }
  const config = parseConfig(parseJson<unknown>(bytes, CONFIG));
  return { name: config.name, config, file: (file) => verifiedFile(source, config, file, options) };
}

async function verifiedFile(
  source: ModelSource,
  { files }: PretrainedConfig,
  file: string,
  options: LoadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const expected = files[file];
  if (expected === undefined) throw new AssetError(`The model's configuration lists no file ${file}: the model is incomplete.`, { file });
  const cache = source.remote ? openCache() : undefined;
  const kept = await cache?.get(expected.sha256);
  if (kept !== undefined && sha256Of(kept) === expected.sha256) {
    options.progress_callback?.({ status: 'done', name: source.name, file });
    return Uint8Array.from(kept);
  }
  const bytes = await readWithEvents(source, file, expected.bytes, options);
  requireDigest(bytes, file, expected);
  await cache?.put(expected.sha256, bytes);
  return bytes;
}

async function readWithEvents(
  source: ModelSource,
  file: string,
  limit: number,
  { signal, progress_callback: report }: LoadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { name } = source;
  signal?.throwIfAborted();
  report?.({ status: 'initiate', name, file });
  report?.({ status: 'download', name, file });
  const bytes = await source.read(file, {
    signal,
    limit,
    onBytes: (loaded, total) =>
      report?.({ status: 'progress', name, file, progress: total === 0 ? 0 : (100 * loaded) / total, loaded, total }),
  });
  report?.({ status: 'done', name, file });
  return bytes;
}
