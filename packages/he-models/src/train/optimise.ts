import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError } from '../errors.js';
import { type RandomGenerator, restoredRandom, seededRandom } from '../random.js';
import { createTurns } from '../turns.js';
import { adamWStep, clipByGlobalNorm, cosineSchedule, type Moments, zeroMoments } from './adamw.js';
import type { TrainingState } from './checkpoint.js';
import type { Parameter } from './parameter.js';

/** What is trained, and on what. All randomness comes from the generators given. */
export interface TrainingTask<Batch> {
  readonly parameters: readonly Parameter[];
  readonly stepsPerEpoch: number;
  /** The batches of one epoch, `stepsPerEpoch` of them. */
  readonly epochBatches: (random: RandomGenerator) => readonly Batch[];
  /** Draws a batch's noise and returns its loss, differentiable in the parameters. */
  readonly loss: (batch: Batch, random: RandomGenerator) => () => tf.Scalar;
}

/** How a task is optimised. */
export interface Schedule {
  readonly seed: number;
  readonly epochs: number;
  /** Peak of the cosine schedule. */
  readonly learningRate: number;
  /** Share of all steps spent on the linear warm-up. */
  readonly warmup: number;
  /** Decoupled, on matrices other than the position embedding. */
  readonly weightDecay: number;
  /** Bound of the gradient's global norm. */
  readonly clipNorm: number;
}

export interface TrainingEvents {
  /** After each step. */
  readonly onStep?: (progress: { readonly epoch: number; readonly step: number; readonly steps: number; readonly loss: number }) => void;
  /** After each epoch, with what a checkpoint needs. */
  readonly onEpoch?: (state: TrainingState, meanLoss: number) => Promise<void>;
  /** Ends training between two steps. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Trains in place for the epochs of `schedule` that `from` has not completed. The result depends on nothing but the arguments: a run
 * interrupted after an epoch and continued from its state ends with the same weights, bit for bit, on one backend.
 *
 * @throws CheckpointError if `from` does not fit the task; the reason of an aborted signal
 */
export async function optimise<Batch>(
  task: TrainingTask<Batch>,
  schedule: Schedule,
  events: TrainingEvents = {},
  from?: TrainingState,
): Promise<void> {
  const { parameters, stepsPerEpoch } = task;
  const steps = stepsPerEpoch * schedule.epochs;
  if (from !== undefined) restoreParameters(parameters, from);
  const moments = parameters.map(({ variable }, index): Moments => from?.parameters[index] ?? zeroMoments(variable.size));
  // Apart from the seed of the initial weights, so that the two streams do not overlap.
  const random = from === undefined ? seededRandom(schedule.seed + 1_000_003) : restoredRandom(from.random);
  const turn = createTurns(events.signal);
  let step = from?.step ?? 0;
  for (let epoch = from?.epoch ?? 0; epoch < schedule.epochs; epoch += 1) {
    let total = 0;
    for (const batch of task.epochBatches(random)) {
      step += 1;
      const learningRate = cosineSchedule(step, steps, schedule.learningRate, schedule.warmup);
      const loss = trainStep(parameters, task.loss(batch, random), { ...schedule, learningRate }, moments, step);
      total += loss;
      events.onStep?.({ epoch, step, steps, loss });
      await turn();
    }
    await events.onEpoch?.(captureState(parameters, moments, epoch + 1, step, random), total / stepsPerEpoch);
  }
}

function trainStep(
  parameters: readonly Parameter[],
  lossOf: () => tf.Scalar,
  { learningRate, weightDecay, clipNorm }: Schedule,
  moments: readonly Moments[],
  step: number,
): number {
  const { loss, gradients } = lossAndGradients(parameters, lossOf);
  clipByGlobalNorm(gradients, clipNorm);
  parameters.forEach(({ variable, decayed }, index) => {
    const gradient = gradients[index];
    const state = moments[index];
    if (gradient === undefined || state === undefined) return;
    const values = Float32Array.from(variable.dataSync());
    adamWStep(values, gradient, state, { learningRate, weightDecay: decayed ? weightDecay : 0, step });
    assign(variable, values);
  });
  return loss;
}

function lossAndGradients(
  parameters: readonly Parameter[],
  lossOf: () => tf.Scalar,
): { readonly loss: number; readonly gradients: readonly Float32Array[] } {
  const { value, grads } = tf.variableGrads(
    lossOf,
    parameters.map(({ variable }) => variable),
  );
  const loss = value.dataSync()[0] ?? Number.NaN;
  const gradients = parameters.map(({ variable }) => {
    const gradient = grads[variable.name];
    return gradient === undefined ? new Float32Array(variable.size) : Float32Array.from(gradient.dataSync());
  });
  tf.dispose([value, ...Object.values(grads)]);
  return { loss, gradients };
}

function captureState(
  parameters: readonly Parameter[],
  moments: readonly Moments[],
  epoch: number,
  step: number,
  random: RandomGenerator,
): TrainingState {
  const states = parameters.map(({ name, variable }, index) => {
    const { first, second } = moments[index] ?? zeroMoments(variable.size);
    return { name, values: Float32Array.from(variable.dataSync()), first: first.slice(), second: second.slice() };
  });
  return { epoch, step, random: [...random.getState()], parameters: states };
}

/** Sets weights to those of a checkpoint. @throws CheckpointError if names or sizes differ */
export function restoreParameters(parameters: readonly Parameter[], state: TrainingState): void {
  const fits =
    parameters.length === state.parameters.length &&
    parameters.every(({ name, variable }, index) => {
      const stored = state.parameters[index];
      return stored?.name === name && stored.values.length === variable.size;
    });
  if (!fits) throw new CheckpointError('The checkpoint holds the weights of another model: pass --fresh to start anew.', {});
  parameters.forEach(({ variable }, index) => {
    const stored = state.parameters[index];
    if (stored !== undefined) assign(variable, stored.values);
  });
}

function assign(variable: tf.Variable, values: Float32Array): void {
  tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
}
