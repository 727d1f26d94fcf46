import { outputRegisters, type Program, type Register, readsOf, writeOf } from './program.js';

/** How deep a layer is. */
export interface LayerDepth {
  /** Levels on the longest way through the layer alone. */
  readonly depth: number;
  /** Levels on the longest way from an input to the end of the layer. */
  readonly depthSoFar: number;
}

interface RegisterDepth extends LayerDepth {
  readonly layer: number;
}

/** Levels on the longest way from an input to an output, through refreshes: what the chain would need without them. */
export function programDepth(program: Program): number {
  const depths = registerDepths(program);
  return Math.max(0, ...outputRegisters(program).map((register) => depths.get(register)?.depthSoFar ?? 0));
}

/** Depths of a program's layers, in the order of `program.layers`. */
export function layerDepths(program: Program): readonly LayerDepth[] {
  const layers = program.layers.map(() => ({ depth: 0, depthSoFar: 0 }));
  for (const { layer, depth, depthSoFar } of registerDepths(program).values()) {
    const deepest = layers[layer];
    if (deepest === undefined) continue;
    deepest.depth = Math.max(deepest.depth, depth);
    deepest.depthSoFar = Math.max(deepest.depthSoFar, depthSoFar);
  }
  return layers;
}

/** Depths of all registers but the inputs, by the layer that writes them last. */
function registerDepths({ segments }: Program): ReadonlyMap<Register, RegisterDepth> {
  const depths = new Map<Register, RegisterDepth>();
  for (const { instructions, refreshes } of segments) {
    for (const instruction of instructions) {
      const { layer, op } = instruction;
      const read = readsOf(instruction).flatMap((register) => depths.get(register) ?? []);
      const own = op === 'rescale' ? 1 : 0;
      const before = read.filter((other) => other.layer === layer).map(({ depth }) => depth);
      const soFar = read.map(({ depthSoFar }) => depthSoFar);
      depths.set(writeOf(instruction), { layer, depth: Math.max(0, ...before) + own, depthSoFar: Math.max(0, ...soFar) + own });
    }
    for (const { from, to } of refreshes) {
      const depth = depths.get(from);
      if (depth !== undefined) depths.set(to, depth);
    }
  }
  return depths;
}
