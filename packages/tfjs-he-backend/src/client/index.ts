import '../runtime_notice.js';

export { HeError, type HeErrorCode } from '../errors.js';
export { pack, type TensorLayout, unpack } from '../wire/layout.js';
export { type Manifest, parseManifest } from '../wire/manifest.js';
export type { Client, ClientEngine, ClientOptions, KeyProgress } from './client.js';
export { createClient } from './create_client.js';
