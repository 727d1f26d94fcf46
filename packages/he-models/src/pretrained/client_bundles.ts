import type { Bundles } from './registry.js';

/** Client halves: specifiers are literal so that bundlers find the modules. Apart from the servers', so that these stay out of a client. */
export const CLIENT_BUNDLES: Bundles = {
  'power-banking77': () => import('he-models/assets/power-banking77/client'),
  'power-ecg': () => import('he-models/assets/power-ecg/client'),
  'power-mnist-vit': () => import('he-models/assets/power-mnist-vit/client'),
  'power-sst2': () => import('he-models/assets/power-sst2/client'),
  'power-stories-260k': () => import('he-models/assets/power-stories-260k/client'),
};
