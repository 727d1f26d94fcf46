import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { ready, setBackend } from '@tensorflow/tfjs-core';

/** Starts tfjs' WASM backend with one thread, on which results repeat bit for bit. */
export async function startWasm(): Promise<void> {
  setThreadsCount(1);
  await setBackend('wasm');
  await ready();
}
