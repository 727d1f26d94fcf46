import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import type { DecoderBlock } from '../layers/decoder_block.js';
import type { EncoderBlock } from '../layers/encoder_block.js';
import type { TransformerBlock } from '../layers/transformer_block.js';
import { applied, applyAttention, applyFeedForward, applyNorm, type Choices } from './convert_parts.js';

type SubLayer = 'attention' | 'cross_attention' | 'feed_forward';

/** The sub-layers of an encoder block, each a layer under the block's name. */
export function convertEncoder(block: EncoderBlock, inputs: SymbolicTensor[], choices: Choices): SymbolicTensor {
  const { name } = block;
  const [x, ...mask] = inputs;
  if (x === undefined) throw new InvalidArgumentError(`${name} has no input.`, { layer: name });
  const attended = convertResidual(block, 'attention', x, choices, (input, part) =>
    applyAttention(part, block.config, block.attentionWeights(), [input, ...mask], choices),
  );
  return convertResidual(block, 'feed_forward', attended, choices, (input, part) => applyFeedForward(part, block, [input], choices));
}

/** The sub-layers of a decoder block, each a layer under the block's name. */
export function convertDecoder(block: DecoderBlock, inputs: SymbolicTensor[], choices: Choices): SymbolicTensor {
  const { name, config } = block;
  const [x, ...memory] = inputs;
  if (x === undefined) throw new InvalidArgumentError(`${name} has no input.`, { layer: name });
  const attended = convertResidual(block, 'attention', x, choices, (input, part) =>
    applyAttention(part, config, block.attentionWeights(), [input], choices),
  );
  const crossConfig = { ...config, causal: false, rotary: false };
  const read = convertResidual(block, 'cross_attention', attended, choices, (input, part) =>
    applyAttention(part, crossConfig, block.crossAttentionWeights(), [input, ...memory], choices),
  );
  return convertResidual(block, 'feed_forward', read, choices, (input, part) => applyFeedForward(part, block, [input], choices));
}

/** A sub-layer with its residual connection: `norm(x + f(x))`, or `x + f(norm(x))` with `normFirst`. */
function convertResidual(
  block: TransformerBlock,
  part: SubLayer,
  x: SymbolicTensor,
  choices: Choices,
  f: (x: SymbolicTensor, name: string) => SymbolicTensor,
): SymbolicTensor {
  const path = `${block.name}/${part}`;
  const normalised = (of: SymbolicTensor[]): SymbolicTensor =>
    applyNorm(`${path}_norm`, block.normEpsilon, block.normWeights(`${part}_norm`), of, choices);
  if (!block.normFirst) return normalised([x, f(x, path)]);
  return applied(layers.add({ name: `${path}_residual` }), [x, f(normalised([x]), path)]);
}
