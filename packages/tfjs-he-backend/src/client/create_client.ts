import { parseManifest } from '../wire/manifest.js';
import type { Client, ClientOptions } from './client.js';
import { createMockClient } from './mock_client.js';
import { createSealClient } from './seal_client.js';

/**
 * Validates a manifest and makes the keys of a new client for it.
 * @param manifest parsed JSON of any origin.
 * @throws HeError MANIFEST_INVALID, PARAMETERS_INVALID, PARAMETERS_INSECURE, RUNTIME_UNSUPPORTED.
 */
export async function createClient(manifest: unknown, options: ClientOptions): Promise<Client> {
  const { minimumSecurityBits, engine, seed } = options;
  const parsed = parseManifest(manifest, minimumSecurityBits === undefined ? {} : { minimumSecurityBits });
  return engine === 'mock' ? createMockClient(parsed, seed ?? 2) : createSealClient(parsed);
}
