import { createHash } from 'node:crypto';
import type { ArraySplit } from '../../data/mnist.js';

/** SHA-256 of the values and labels of both parts. */
export function digestOfSplit({ train, dev }: ArraySplit): string {
  const hash = createHash('sha256');
  for (const { values, labels } of [train, dev]) {
    for (const array of [values, labels]) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  return hash.digest('hex');
}
