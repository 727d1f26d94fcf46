import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Dataset, Example } from './example.ts';
import { fit, oneHot, square, weights } from './training.ts';

const SAMPLES = 64;
const CHANNELS = 2;

/** State of a machine: its name, and the amplitudes of vibrations of 3, 6 and 17 periods in the window. */
const STATES: readonly (readonly [string, readonly number[]])[] = [
  ['healthy', [0.1, 0.03, 0.03]],
  ['unbalanced', [0.4, 0.03, 0.03]],
  ['misaligned', [0.1, 0.3, 0.03]],
  ['worn bearing', [0.1, 0.03, 0.3]],
];
const PERIODS = [3, 6, 17];

/**
 * A mixer over time and channels (TSMixer, Chen et al., TMLR 2023, with squares): no recurrence, no attention. The dense map over time learns
 * filters and the square their energy, which does not depend on phase; no linear model can tell these states apart.
 */
export const timeSeries: Example = {
  name: 'time-series',
  shows: 'a mixer over time: dense maps over 64 samples and 2 channels, squares in between',
  classes: STATES.map(([name]) => name),

  async train(log) {
    const [train, test] = [vibrations(800, 1), vibrations(200, 2)];
    const signal = tfl.input({ shape: [SAMPLES, CHANNELS], name: 'signal' });
    const byChannel = tfl.layers.permute({ name: 'by_channel', dims: [2, 1] }).apply(signal);
    const overTime = tfl.layers.dense({ name: 'time_mixing', units: 32, ...weights(3) }).apply(byChannel);
    const energies = tfl.layers.permute({ name: 'by_time', dims: [2, 1] }).apply(square(overTime as tfl.SymbolicTensor, 'energy'));
    const overChannels = tfl.layers.dense({ name: 'channel_mixing', units: 4, ...weights(4) }).apply(energies);
    const flat = tfl.layers.flatten({ name: 'flatten' }).apply(square(overChannels as tfl.SymbolicTensor, 'square'));
    const scores = tfl.layers.dense({ name: 'state', units: STATES.length, ...weights(5) }).apply(flat);
    const model = tfl.model({ inputs: signal, outputs: scores as tfl.SymbolicTensor });
    await fit(model, train, test, { epochs: 10, optimizer: tf.train.adam(0.005), log });
    return { model, test };
  },
};

/** Sums of sines of random phase in noise; both sensors see the same vibration, from other sides. */
function vibrations(count: number, seed: number): Dataset {
  const labels = Array.from({ length: count }, (_, i) => i % STATES.length);
  const phases = tf.randomUniform([count, PERIODS.length * CHANNELS], 0, 2 * Math.PI, 'float32', seed).arraySync() as number[][];
  const wave = (i: number, time: number, channel: number): number =>
    PERIODS.reduce((sum, periods, k) => {
      const amplitude = STATES[labels[i] ?? 0]?.[1][k] ?? 0;
      return sum + amplitude * Math.sin((2 * Math.PI * periods * time) / SAMPLES + (phases[i]?.[CHANNELS * k + channel] ?? 0));
    }, 0);
  const x = tf.buffer([count, SAMPLES, CHANNELS]);
  for (let i = 0; i < count; i++)
    for (let time = 0; time < SAMPLES; time++)
      for (let channel = 0; channel < CHANNELS; channel++) x.set(wave(i, time, channel), i, time, channel);
  const noise = tf.randomNormal([count, SAMPLES, CHANNELS], 0, 0.1, 'float32', seed + 100);
  return { x: tf.add(x.toTensor(), noise), targets: oneHot(labels, STATES.length), labels };
}
