import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkIntervals, type PolynomialModel, toPolynomial } from 'tfjs-power-softmax';
import { UsageError } from '../../errors.js';
import { buildLlama } from '../../llama/llama_model.js';
import { seededRandom } from '../../random.js';
import { takeTurn } from '../../turns.js';
import { identityOf, readCheckpoint, writeCheckpoint } from '../checkpoint.js';
import type { TrainOptions } from '../options.js';
import type { Progress } from '../progress.js';
import { checkpointPath } from '../run.js';
import { distil } from './distil.js';
import { evaluate } from './evaluate_story.js';
import { prepareStories, type StoryData } from './prepare_stories.js';
import { type StoryLosses, type TrainedStories, type TrainedStoryConfig, writeStoryArtefacts } from './story_artefacts.js';
import { consecutiveWindows, embedWindows, evaluationBatches, randomWindows, selectWindows, type Windows } from './story_data.js';
import type { StoryRecipe } from './story_recipe.js';
import { type StoryModels, storyModels } from './story_student.js';

const STORY_MODEL = 'power-stories-260k';

/** What the training command reports. */
export interface StorySummary {
  readonly model: string;
  readonly seed: number;
  readonly epochs: number;
  readonly loss: StoryLosses;
  readonly sameTop1: TrainedStoryConfig['sameTop1'];
  /** Values outside their approximation's interval on the held-out text. */
  readonly outsideIntervals: number;
  readonly out: string;
}

/** Windows behind the medians that the student starts from. */
const MEDIAN_WINDOWS = 64;

/** Teacher and trained student, continuing from a checkpoint. */
async function trainStudent(
  { checkpoint, train, digest }: StoryData,
  heldOut: readonly Windows[],
  options: Pick<TrainOptions, 'checkpoints' | 'fresh'>,
  recipe: StoryRecipe,
  progress: Progress,
): Promise<StoryModels> {
  const models = storyModels(checkpoint, recipe, selectWindows(consecutiveWindows(train, recipe.tokens), 0, MEDIAN_WINDOWS));
  const identity = identityOf(recipe, 'power', digest);
  const path = checkpointPath(options.checkpoints, 'power');
  const from = options.fresh ? undefined : await readCheckpoint(path, identity);
  progress.log(`teacher: held-out loss ${evaluate(models.teacher, heldOut, checkpoint).loss.toFixed(4)}`);
  if (from !== undefined) progress.log(`student: continuing after epoch ${from.epoch} of ${recipe.epochs}`);
  await distil(
    models,
    checkpoint,
    train,
    recipe,
    {
      signal: progress.signal,
      onStep: ({ epoch, step, steps, loss }) => progress.update(step, steps, `epoch ${epoch + 1}/${recipe.epochs} loss ${loss.toFixed(3)}`),
      onEpoch: async (state, loss) => {
        await writeCheckpoint(path, identity, state);
        const held = evaluate(models.student, heldOut, checkpoint).loss;
        progress.log(`student: epoch ${state.epoch}/${recipe.epochs} loss ${loss.toFixed(4)} held-out loss ${held.toFixed(4)}`);
      },
    },
    from,
  );
  return models;
}

/** Trains the student, or goes on with it, makes it a polynomial and writes the model's files. @throws as `trainStories` */
export async function runStoryTraining(options: TrainOptions, recipe: StoryRecipe, progress: Progress): Promise<StorySummary> {
  const trained = await trainStories(options, recipe, progress);
  const { sameTop1, outsideIntervals } = await writeStoryArtefacts(options.out, trained, progress.signal);
  trained.polynomial.model.dispose();
  const { name, loss } = trained;
  return { model: name, seed: recipe.seed, epochs: recipe.epochs, loss, sameTop1, outsideIntervals, out: options.out };
}

/**
 * Trains the student, or goes on with it, makes it a polynomial and measures the three forms. Dispose of the polynomial's model after use.
 *
 * @throws UsageError, DataError, CheckpointError
 */
export async function trainStories(options: TrainOptions, recipe: StoryRecipe, progress: Progress): Promise<TrainedStories> {
  if (options.variant !== 'both') throw new UsageError('--variant is not for stories260k, whose softmax twin is the original.', {});
  const context = options.context ?? recipe.tokens;
  if (context > recipe.tokens) throw new UsageError(`--context must be at most ${recipe.tokens}, the tokens trained on.`, { context });
  const data = await prepareStories(options.data, recipe, progress);
  const { checkpoint, train } = data;
  progress.log(`${train.length} training and ${data.heldOut.length} held-out tokens`);
  const heldOut = evaluationBatches(data.heldOut, recipe.tokens);
  const models = await trainStudent(data, heldOut, options, recipe, progress);
  await takeTurn(progress.signal);
  const shippedRecipe = { ...recipe, tokens: context };
  const student = withContext(models, data, shippedRecipe);
  const polynomial = convertStudent(student, data, shippedRecipe);
  const windows = evaluationBatches(data.heldOut, context);
  const original = evaluate(models.teacher, windows, checkpoint);
  const trained = evaluate(student, windows, checkpoint);
  const shipped = evaluate(polynomial.model, windows, checkpoint);
  models.dispose();
  student.dispose();
  const embedded = embedWindows(consecutiveWindows(data.heldOut, context), checkpoint);
  const intervals = checkIntervals(polynomial.model, embedded);
  embedded.dispose();
  return {
    name: STORY_MODEL,
    data,
    recipe: shippedRecipe,
    polynomial,
    heldOutTokens: shipped.top1.length,
    loss: { softmax: original.loss, powerSoftmax: trained.loss, polynomial: shipped.loss },
    sameTop1: { softmax: sameShare(shipped.top1, original.top1), powerSoftmax: sameShare(shipped.top1, trained.top1) },
    maxLogit: shipped.maxLogit,
    intervals,
  };
}

/** The trained student for inputs of `recipe.tokens`: attention has as many keys as there are tokens, so the polynomial form is of one length. */
function withContext({ student, normEpsilons }: StoryModels, { checkpoint }: StoryData, { tokens, p, epsilon }: StoryRecipe): LayersModel {
  const model = buildLlama({
    config: checkpoint.config,
    tokens,
    attention: 'power',
    p,
    epsilon,
    normEpsilons,
    useBias: true,
    name: 'student',
  });
  model.setWeights(student.getWeights());
  return model;
}

/** Calibrated on windows at random places of the training text. */
function convertStudent(student: LayersModel, { checkpoint, train }: StoryData, recipe: StoryRecipe): PolynomialModel {
  const { calibrationWindows, margin, bits } = recipe.conversion;
  const calibration = embedWindows(randomWindows(train, calibrationWindows, recipe.tokens, seededRandom(recipe.seed)), checkpoint);
  try {
    return toPolynomial(student, { calibration, margin, bits, name: STORY_MODEL });
  } finally {
    calibration.dispose();
  }
}

function sameShare(a: readonly number[], b: readonly number[]): number {
  return a.filter((token, index) => token === b[index]).length / a.length;
}
