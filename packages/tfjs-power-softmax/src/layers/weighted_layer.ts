import type * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import type { AttentionWeights, Projection } from './attention.js';
import type { AttentionConfig } from './attention_config.js';
import type { FeedForwardWeights } from './feed_forward.js';
import { MaskingLayer } from './masking_layer.js';

/** Seed of a layer's initial weights; without one they differ from run to run. */
export interface SeededLayerArgs {
  readonly name?: string;
  readonly trainable?: boolean;
  readonly seed?: number;
}

/**
 * Base of the layers with several named weights. Weights are addressed by name (`attention/query/kernel`) instead of being spread over
 * sub-layers, because tfjs collects, saves and restores only the weights that a layer itself has added.
 */
export abstract class WeightedLayer extends MaskingLayer {
  protected readonly seed: number | undefined;
  private readonly variables = new Map<string, LayerVariable>();

  constructor(args: SeededLayerArgs) {
    super(args);
    // tfjs restores an absent config value as null.
    this.seed = args.seed ?? undefined;
  }

  /** Current value of one weight, e.g. `query/kernel`. @throws InvalidArgumentError for an unknown name or before `build` */
  weight(name: string): tf.Tensor {
    const variable = this.variables.get(name);
    if (variable === undefined) {
      const known = [...this.variables.keys()];
      throw new InvalidArgumentError(`Layer ${this.name} has no weight ${name}; it has ${known.join(', ') || 'none before build'}.`, {
        name,
        known,
      });
    }
    return variable.read();
  }

  /** Adds `<name>/kernel [inputs, units]`, Glorot uniform, and `<name>/bias [units]`, zeros. */
  protected addProjection(name: string, inputs: number, units: number, useBias: boolean): void {
    // One seed per weight: equal shapes with one seed would start out identical.
    const seed = this.seed === undefined ? undefined : this.seed * 1009 + this.variables.size;
    this.addNamedWeight(`${name}/kernel`, [inputs, units], initializers.glorotUniform(seed === undefined ? {} : { seed }));
    if (useBias) this.addNamedWeight(`${name}/bias`, [units], initializers.zeros());
  }

  /** Adds `<name>gamma [units]`, ones, and `<name>beta [units]`, zeros. */
  protected addNorm(name: string, units: number): void {
    this.addScale(name, units);
    this.addNamedWeight(`${name}beta`, [units], initializers.zeros());
  }

  /** Adds `<name>gamma [units]`, ones. */
  protected addScale(name: string, units: number): void {
    this.addNamedWeight(`${name}gamma`, [units], initializers.ones());
  }

  protected projection(name: string, useBias: boolean): Projection {
    // addProjection made these weights with ranks 2 and 1.
    const kernel = this.weight(`${name}/kernel`) as tf.Tensor2D;
    return useBias ? { kernel, bias: this.weight(`${name}/bias`) as tf.Tensor1D } : { kernel };
  }

  /** Adds the projections `<prefix>hidden`, with `gated` `<prefix>gate`, and `<prefix>output`, with biases. */
  protected addFeedForward(prefix: string, features: number, hiddenDim: number, gated: boolean): void {
    this.addProjection(`${prefix}hidden`, features, hiddenDim, true);
    if (gated) this.addProjection(`${prefix}gate`, features, hiddenDim, true);
    this.addProjection(`${prefix}output`, hiddenDim, features, true);
  }

  /** Adds the projections `<prefix>query`, `key`, `value` and `output` of an attention layer; keys and values come from `memoryFeatures`. */
  protected addAttention(prefix: string, config: AttentionConfig, features: number, memoryFeatures = features): void {
    const { numHeads, keyValueHeads, keyDim, useBias } = config;
    this.addProjection(`${prefix}query`, features, numHeads * keyDim, useBias);
    this.addProjection(`${prefix}key`, memoryFeatures, keyValueHeads * keyDim, useBias);
    this.addProjection(`${prefix}value`, memoryFeatures, keyValueHeads * keyDim, useBias);
    this.addProjection(`${prefix}output`, numHeads * keyDim, features, true);
  }

  protected attentionProjections(prefix: string, { useBias }: AttentionConfig): AttentionWeights {
    return {
      query: this.projection(`${prefix}query`, useBias),
      key: this.projection(`${prefix}key`, useBias),
      value: this.projection(`${prefix}value`, useBias),
      output: this.projection(`${prefix}output`, true),
    };
  }

  protected feedForwardProjections(prefix: string, gated: boolean): FeedForwardWeights {
    return {
      hidden: this.projection(`${prefix}hidden`, true),
      ...(gated ? { gate: this.projection(`${prefix}gate`, true) } : {}),
      output: this.projection(`${prefix}output`, true),
    };
  }

  protected addNamedWeight(name: string, shape: Shape, initializer: ReturnType<typeof initializers.zeros>): void {
    this.variables.set(name, this.addWeight(name, shape, 'float32', initializer));
  }
}
