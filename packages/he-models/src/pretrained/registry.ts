import { UnknownModelError } from '../errors.js';
import type { BundledFiles } from './assets.js';

type Loader = () => Promise<{ readonly default: BundledFiles }>;

// Specifiers are literal so that bundlers find the modules, and imported on demand so that the client's part never pulls in the server's.
const MODELS = {
  'power-banking77': {
    client: (): ReturnType<Loader> => import('he-models/assets/power-banking77/client'),
    server: (): ReturnType<Loader> => import('he-models/assets/power-banking77/server'),
  },
} as const;

/** Names that `fromPretrained` knows. */
export type PretrainedName = keyof typeof MODELS;

export const PRETRAINED_NAMES: readonly PretrainedName[] = ['power-banking77'];

/** @throws UnknownModelError for a name that is not shipped */
export async function loadFiles(name: string, part: 'client' | 'server'): Promise<BundledFiles> {
  const known = PRETRAINED_NAMES.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new UnknownModelError(`There is no pretrained model ${name}: choose one of ${PRETRAINED_NAMES.join(', ')}.`, {
      name,
      known: PRETRAINED_NAMES,
    });
  }
  return (await MODELS[known][part]()).default;
}
