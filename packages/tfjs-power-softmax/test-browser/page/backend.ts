/** Takes the place of test/support/backend.ts in the browser. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';

export const BACKENDS = ['webgl'] as const;

// Otherwise tfjs computes on the CPU whatever has fewer than 128 values.
tf.env().set('WEBGL_CPU_FORWARD', false);

export async function useBackend(name: 'webgl' | 'cpu'): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error(`backend ${name} did not start`);
}
