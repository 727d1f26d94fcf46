import { HeError } from '../errors.js';
import { evaluationKeysBytes } from '../wire/evaluation_keys.js';
import { parseManifest } from '../wire/manifest.js';
import type { Client, ClientOptions } from './client.js';
import { createMockClient } from './mock_client.js';
import { createSealClient } from './seal_client.js';

const MAX_KEY_BYTES = 2 ** 31;

/**
 * Validates a manifest and makes the keys of a new client for it.
 * @param manifest parsed JSON of any origin.
 * @throws HeError MANIFEST_INVALID, PARAMETERS_INVALID, PARAMETERS_INSECURE, MEMORY_BUDGET (keys beyond maxKeyBytes),
 *   RUNTIME_UNSUPPORTED.
 */
export async function createClient(manifest: unknown, options: ClientOptions = {}): Promise<Client> {
  const { minimumSecurityBits, engine = 'seal', seed, maxKeyBytes = MAX_KEY_BYTES } = options;
  const parsed = parseManifest(manifest, minimumSecurityBits === undefined ? {} : { minimumSecurityBits });
  requireKeyBytes(evaluationKeysBytes(engine, parsed.parameters, parsed.manifest.galoisSteps), maxKeyBytes);
  return engine === 'mock' ? createMockClient(parsed, seed ?? 2) : createSealClient(parsed);
}

function requireKeyBytes(needed: number, limit: number): void {
  if (needed <= limit) return;
  const [all, excess, most] = [needed, needed - limit, limit].map((bytes) => Math.ceil(bytes / 2 ** 20));
  throw new HeError('MEMORY_BUDGET', `the manifest asks for ${all} MiB of evaluation keys, ${excess} more than the limit of ${most}`, {
    op: 'createClient',
    hint: 'Raise maxKeyBytes, or ask the server for a program compiled with a smaller maxEvaluationKeyBytes.',
  });
}
