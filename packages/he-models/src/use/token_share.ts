import type { GenerationConfig } from '../pretrained/config.js';

const DEFAULT_POWER = 4;

/** What the step of a decoder takes beside the token: the number of tokens attended to, to the power of -1/p. @param position of the token, 0 for the first */
export function tokenShare({ embedding, power = DEFAULT_POWER }: GenerationConfig, position: number): number {
  return Math.min(position + 1, embedding.maxTokens) ** (-1 / power);
}
