import { InvalidArgumentError } from '../errors.js';
import { DEFAULT_EPSILON, POWER_SOFTMAX_FORMS, type PowerSoftmaxForm } from '../ops/power_softmax.js';
import { DEFAULT_ROTARY_BASE, type RotaryOptions } from '../ops/rotary.js';
import { validateNonNegative, validateOneOf, validatePositiveInteger, validatePower } from '../validate.js';
import { ATTENTION_KINDS, type AttentionKind } from './score_weights.js';

/** Attention settings shared by `MultiHeadAttention` and `EncoderBlock`. */
export interface AttentionArgs extends Partial<RotaryOptions> {
  readonly numHeads: number;
  /** Size of each head's queries, keys and values. */
  readonly keyDim: number;
  /** Default `power`. */
  readonly attention?: AttentionKind;
  /** Even power of PowerSoftmax. Default 4. */
  readonly p?: number;
  /** Added to `mean(scores^p)`; default 1e-3. Large values make the reciprocal's polynomial cheap. */
  readonly epsilon?: number;
  /** Default `stable`. */
  readonly form?: PowerSoftmaxForm;
  /**
   * Bias in the query, key and value projections. Default false: without it rows of zeros have score 0, hence weight 0, so PowerSoftmax
   * ignores zero padding without a mask.
   */
  readonly useBias?: boolean;
  /** Tokens see themselves and those before them only. Default false. */
  readonly causal?: boolean;
  /**
   * Number of key and value heads, a divisor of `numHeads`, each shared by a group of consecutive query heads (grouped-query attention, arXiv
   * 2305.13245). Default `numHeads`.
   */
  readonly keyValueHeads?: number;
  /** Turns queries and keys by their positions (RoFormer, arXiv 2104.09864), see {@link RotaryOptions}. Default false. */
  readonly rotary?: boolean;
}

export type AttentionConfig = Required<AttentionArgs>;

/** Fills in defaults and checks ranges. @throws InvalidArgumentError naming the layer */
export function attentionConfig(args: AttentionArgs, layer: string): AttentionConfig {
  const numHeads = validatePositiveInteger('numHeads', args.numHeads, layer);
  const keyDim = validatePositiveInteger('keyDim', args.keyDim, layer);
  const keyValueHeads = validatePositiveInteger('keyValueHeads', args.keyValueHeads ?? numHeads, layer);
  if (numHeads % keyValueHeads !== 0) {
    throw new InvalidArgumentError(`${layer}: keyValueHeads must divide numHeads ${numHeads}, got ${keyValueHeads}.`, {
      layer,
      numHeads,
      keyValueHeads,
    });
  }
  const rotary = args.rotary ?? false;
  const rotaryDim = validatePositiveInteger('rotaryDim', args.rotaryDim ?? keyDim, layer);
  const rotaryBase = args.rotaryBase ?? DEFAULT_ROTARY_BASE;
  if (rotary && (rotaryDim % 2 !== 0 || rotaryDim > keyDim))
    throw new InvalidArgumentError(
      `${layer}: rotary positions need an even rotaryDim (default: keyDim) of at most keyDim ${keyDim}, got ${rotaryDim}.`,
      { layer, keyDim, rotaryDim },
    );
  if (!(rotaryBase >= 1 && Number.isFinite(rotaryBase)))
    throw new InvalidArgumentError(`${layer}: rotaryBase must be a number of at least 1, got ${rotaryBase}.`, { layer, rotaryBase });
  return {
    numHeads,
    keyDim,
    attention: validateOneOf('attention', args.attention ?? 'power', ATTENTION_KINDS, layer),
    p: validatePower(args.p ?? 4, layer),
    epsilon: validateNonNegative('epsilon', args.epsilon ?? DEFAULT_EPSILON, layer),
    form: validateOneOf('form', args.form ?? 'stable', POWER_SOFTMAX_FORMS, layer),
    useBias: args.useBias ?? false,
    causal: args.causal ?? false,
    keyValueHeads,
    rotary,
    rotaryDim,
    rotaryBase,
  };
}
