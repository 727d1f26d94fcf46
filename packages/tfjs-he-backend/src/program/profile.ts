import { encodeMs, evaluationKeyBytes, instructionTimes, programMs } from '../compiler/cost_model.js';
import { type CostEngine, type Costs, defaultCosts, engineOf } from '../compiler/costs.js';
import type { LayoutCounts } from '../compiler/layout_family.js';
import { DEFAULT_ENGINE } from '../compiler/options.js';
import { createParameters } from '../parameters/parameters.js';
import { maskSlackBits } from '../ring/mask.js';
import { leastServerMemory, MEMORY_LIMIT, serverMemory, shareMemory } from '../server/memory.js';
import { type LayerDepth, layerDepths, programDepth } from './depth.js';
import type { Program } from './program.js';

/** What a user wants to know before anything is spent. Bytes are exact, milliseconds predicted (warm: constants encoded). */
export interface Profile {
  readonly polyModulusDegree: number;
  /** Bits of every prime: data primes, then the special one. */
  readonly coeffModulusBits: readonly number[];
  readonly totalBits: number;
  readonly securityBits: number;
  /** Levels on the longest way from input to output, refreshes not counted. */
  readonly depth: number;
  /** Levels between two refreshes. */
  readonly levelsPerSegment: number;
  readonly scaleBits: number;
  /** Statistical slack of the refresh masks over the message, in bits per coefficient; without refreshes it means nothing. */
  readonly maskSlackBits: number;
  readonly segments: number;
  /** Ciphertexts refreshed in all rounds together. */
  readonly refreshes: number;
  readonly rotations: number;
  /** Rotations and relinearisations. */
  readonly keySwitches: number;
  readonly plainProducts: number;
  readonly products: number;
  readonly galoisKeys: number;
  /** Tensors (parts, of those in several ciphertexts) by layout; empty for programs of earlier versions. */
  readonly layouts: LayoutCounts;
  /** Most ciphertexts of an input or output. */
  readonly ciphertexts: number;
  /** Evaluation keys in the server's memory. */
  readonly evaluationKeyBytes: number;
  readonly constants: number;
  /** Encoded constants in the server's memory. */
  readonly constantBytes: number;
  /** The same on engine simd, which keeps constants of a short period short. */
  readonly simdConstantBytes: number;
  /** Of these, what a simd server with the default limit has no room for in WebAssembly's memory: copied in or encoded again in every run. */
  readonly simdOverflowBytes: number;
  readonly peakCiphertextBytes: number;
  /** What milliseconds are of. */
  readonly engine: CostEngine;
  readonly predictedMs: number;
  /** To encode all constants, once a server. */
  readonly predictedEncodeMs: number;
  readonly layers: readonly LayerProfile[];
}

export interface LayerProfile extends LayerDepth {
  readonly name: string;
  readonly instructions: number;
  readonly keySwitches: number;
  readonly predictedMs: number;
}

/**
 * @param roundTripMs network time of one refresh round (default 20)
 * @param costs of the machine and engine; an engine's name for those of a 2-vCPU Xeon, one thread (default: simd)
 */
export function profile(program: Program, roundTripMs = 20, costs: Costs | CostEngine = DEFAULT_ENGINE): Profile {
  const own = typeof costs === 'string' ? defaultCosts(costs) : costs;
  const parameters = createParameters(program.parameters);
  const { polyModulusDegree, coeffModulus, maxLevel, refreshLevel } = parameters;
  const instructions = program.segments.flatMap((segment) => segment.instructions);
  const simd = serverMemory(program, parameters, 'simd');
  const inMemory = shareMemory(simd, leastServerMemory(program, parameters, 'simd', 0), MEMORY_LIMIT).constants;
  const times = instructionTimes(program, own).flat();
  const depths = layerDepths(program);
  const count = (...ops: readonly string[]): number => instructions.filter((instruction) => ops.includes(instruction.op)).length;
  return {
    polyModulusDegree,
    coeffModulusBits: coeffModulus.map((prime) => prime.toString(2).length),
    totalBits: parameters.totalBits,
    securityBits: parameters.securityBits,
    depth: programDepth(program),
    levelsPerSegment: maxLevel - refreshLevel,
    scaleBits: Math.log2(parameters.levelScale(maxLevel)),
    maskSlackBits: maskSlackBits(parameters),
    segments: program.segments.length,
    refreshes: program.segments.reduce((sum, segment) => sum + segment.refreshes.length, 0),
    rotations: count('rotate'),
    keySwitches: count('rotate', 'relinearize'),
    plainProducts: count('multiplyPlain', 'accumulatePlain'),
    products: count('multiply', 'square', 'accumulateProduct'),
    galoisKeys: program.galoisSteps.length,
    layouts: program.layouts ?? {},
    ciphertexts: Math.max(...[...program.inputs, ...program.outputs].map(({ layout }) => layout.ciphertexts)),
    evaluationKeyBytes: evaluationKeyBytes(program),
    constants: program.constants.length,
    constantBytes: program.constants.reduce((sum, { level }) => sum + 8 * polyModulusDegree * (level + 1), 0),
    simdConstantBytes: simd.constants,
    simdOverflowBytes: Math.max(0, simd.constants - inMemory),
    peakCiphertextBytes: simd.ciphertexts,
    engine: engineOf(own),
    predictedMs: programMs(program, { roundTripMs, costs: own }),
    predictedEncodeMs: encodeMs(program, own),
    layers: program.layers.map((name, layer) => {
      const those = instructions.flatMap((instruction, i) => (instruction.layer === layer ? [{ ...instruction, ms: times[i] ?? 0 }] : []));
      return {
        name,
        ...(depths[layer] ?? { depth: 0, depthSoFar: 0 }),
        instructions: those.length,
        keySwitches: those.filter(({ op }) => op === 'rotate' || op === 'relinearize').length,
        predictedMs: those.reduce((sum, { ms }) => sum + ms, 0),
      };
    }),
  };
}

function layoutsText({ layouts, ciphertexts }: Profile): string {
  const counts = Object.entries(layouts).map(([name, tensors]) => `${name} ${tensors}`);
  return `${counts.length === 0 ? 'unknown' : counts.join(', ')}; at most ${count(ciphertexts, 'ciphertext')} an input or output`;
}

function refreshesText({ refreshes, segments, maskSlackBits }: Profile): string {
  if (refreshes === 0) return 'none';
  return `${count(refreshes, 'ciphertext')} in ${count(segments - 1, 'round')}, mask slack ${maskSlackBits.toFixed(1)} bits`;
}

function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`;
}

/** The profile as text. */
export function profileTable(p: Profile): string {
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const rows: [string, string][] = [
    ['ring degree', String(p.polyModulusDegree)],
    ['modulus', `${p.totalBits} bits (${p.coeffModulusBits.join(' + ')}), ${p.securityBits}-bit security`],
    [
      'levels',
      `${p.depth} deep${p.refreshes === 0 ? '' : `, ${p.levelsPerSegment} between two refreshes`}, scale 2^${p.scaleBits.toFixed(1)}`,
    ],
    ['refreshes', refreshesText(p)],
    ['key switches', `${p.keySwitches} (${count(p.rotations, 'rotation')} with ${count(p.galoisKeys, 'Galois key')})`],
    ['layouts', layoutsText(p)],
    ['products', `${p.products} of ciphertexts, ${p.plainProducts} with plaintexts`],
    ['memory', `keys ${mb(p.evaluationKeyBytes)}, constants ${mb(p.constantBytes)}, ciphertexts ${mb(p.peakCiphertextBytes)}`],
    [
      'on simd',
      `constants ${mb(p.simdConstantBytes)}${p.simdOverflowBytes > 0 ? `, ${mb(p.simdOverflowBytes)} more than fit in memory at once` : ''}`,
    ],
    [
      'predicted',
      `${(p.predictedMs / 1000).toFixed(2)} s warm (${p.engine}, one core), ${(p.predictedEncodeMs / 1000).toFixed(2)} s before the first run`,
    ],
  ];
  const width = Math.max(...rows.map(([name]) => name.length), ...p.layers.map((layer) => layer.name.length + 2));
  const digits = Math.max(0, ...p.layers.map((layer) => String(layer.keySwitches).length));
  const layers = p.layers.map((layer) => {
    const [name, ms] = [`  ${layer.name}`.padEnd(width + 2), layer.predictedMs.toFixed(0).padStart(6)];
    return `${name}${ms} ms  ${String(layer.keySwitches).padStart(digits)} key switches`;
  });
  return [...rows.map(([name, text]) => `${name.padEnd(width + 2)}${text}`), 'layers', ...layers].join('\n');
}
