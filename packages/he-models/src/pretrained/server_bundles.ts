import type { Bundles } from './registry.js';

/** Server halves: specifiers are literal so that bundlers find the modules. */
export const SERVER_BUNDLES: Bundles = {
  'power-banking77': () => import('he-models/assets/power-banking77/server'),
  'power-ecg': () => import('he-models/assets/power-ecg/server'),
  'power-mnist-vit': () => import('he-models/assets/power-mnist-vit/server'),
  'power-sst2': () => import('he-models/assets/power-sst2/server'),
  'power-stories-260k': () => import('he-models/assets/power-stories-260k/server'),
};
