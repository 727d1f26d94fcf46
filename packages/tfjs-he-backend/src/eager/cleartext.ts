import type { TensorNode } from '../graph/node.js';

/** Values behind inputs that encrypt() made: what the client of this process will encrypt once parameters are known. */
export const cleartext = new WeakMap<TensorNode, Float64Array>();
