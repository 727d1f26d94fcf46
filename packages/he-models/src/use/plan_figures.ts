import type { LayerProfile, Profile } from 'tfjs-he-backend/compiler';

/** What a compiled model will take, known before a run. Of a language model: of one token. */
export interface PlanFigures {
  readonly tokens: number;
  /** Levels on the longest way from input to output, refreshes not counted. */
  readonly depth: number;
  /** Ciphertexts refreshed in a run, in rounds. */
  readonly refreshes: number;
  readonly refreshRounds: number;
  readonly keySwitches: number;
  readonly parameters: Pick<Profile, 'polyModulusDegree' | 'coeffModulusBits' | 'totalBits' | 'securityBits'>;
  /** Evaluation keys in the server's memory, and encoded constants there. */
  readonly serverKeyBytes: number;
  readonly constantBytes: number;
  /** Of a warm run on engine simd, one thread of a 2-vCPU Xeon, with 20 ms a round of refreshes. */
  readonly predictedMs: number;
  /** Levels (`depth` of the layer alone, `depthSoFar` from the input), key switches and predicted time of each layer, from the input to the output. */
  readonly layers: readonly Omit<LayerProfile, 'instructions'>[];
}

/** @param tokens rows of the model's input */
export function planFigures(profile: Profile, tokens: number): PlanFigures {
  const { polyModulusDegree, coeffModulusBits, totalBits, securityBits, depth, refreshes, segments, keySwitches, predictedMs } = profile;
  return {
    tokens,
    depth,
    refreshes,
    refreshRounds: segments - 1,
    keySwitches,
    parameters: { polyModulusDegree, coeffModulusBits, totalBits, securityBits },
    serverKeyBytes: profile.evaluationKeyBytes,
    constantBytes: profile.simdConstantBytes,
    predictedMs: Math.round(predictedMs),
    layers: profile.layers
      .filter(({ instructions }) => instructions > 0)
      // A program does first what does not wait for a refresh, in any layer.
      .sort((a, b) => a.depthSoFar - b.depthSoFar)
      .map(({ instructions: _, predictedMs: ms, ...layer }) => ({ ...layer, predictedMs: Math.round(10 * ms) / 10 })),
  };
}
