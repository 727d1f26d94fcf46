import { ready, setBackend } from '@tensorflow/tfjs-core';
import { PackageMissingError } from '../errors.js';

/**
 * Starts tfjs' WASM backend with one thread, on which results repeat bit for bit.
 *
 * @throws PackageMissingError where it is not installed: only training and conversion need it
 */
export async function startWasm(): Promise<void> {
  const { setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm').catch(() => {
    const missing = '@tensorflow/tfjs-backend-wasm';
    throw new PackageMissingError(`Training and conversion need ${missing}, which cannot be loaded: npm install ${missing}`, { missing });
  });
  setThreadsCount(1);
  await setBackend('wasm');
  await ready();
}
