import { approximate, approximationErrors, observeSites } from 'tfjs-power-softmax';
import type { Corpus } from '../corpus.ts';
import type { LanguageModel } from '../model.ts';
import { calibrationWindows, withCharacters } from './calibration.ts';

export interface DenominatorConfig {
  /** Windows of training text. */
  readonly windows: number;
  /** Numbers of plain Goldschmidt steps. */
  readonly steps: readonly number[];
  /** How far beyond the largest denominator seen the interval of the iteration reaches. */
  readonly margin: number;
}

/** Error of `1/x` by a fixed number of steps, relative. */
export interface StepError {
  readonly steps: number;
  /** Largest on the interval, and mean over the denominators seen. */
  readonly worst: number;
  readonly mean: number;
}

export interface SiteRange {
  readonly site: string;
  readonly function: string;
  readonly min: number;
  readonly max: number;
  /** `max` over the lower end, which is the epsilon where there is one. */
  readonly kappa: number | null;
}

export interface DenominatorResult {
  /** Of all approximated functions of the model. */
  readonly ranges: readonly SiteRange[];
  /** Of the attention layers with PowerSoftmax, in their order. */
  readonly layers: readonly (readonly StepError[])[];
}

/** The ranges of a trained model, and how well Goldschmidt's division does on its denominators. */
export function measureDenominators(
  { model }: LanguageModel,
  corpus: Corpus,
  config: DenominatorConfig,
  tokens: number,
): DenominatorResult {
  const observations = withCharacters(calibrationWindows(corpus, config.windows, tokens), corpus.vocabulary.length, (characters) =>
    observeSites(model, characters),
  );
  const ranges = observations.map(({ name, function: fn, min, max, floor }) => ({
    site: name,
    function: fn,
    min,
    max,
    kappa: floor === undefined ? null : max / floor,
  }));
  const layers = observations.flatMap(({ function: fn, floor, max, sample }) => {
    if (fn !== 'reciprocal' || floor === undefined) return [];
    const interval = [floor, floor + config.margin * (max - floor)] as const;
    return [
      config.steps.map((steps) => {
        const approximation = approximate('reciprocal', interval, { method: 'goldschmidt', steps });
        return { steps, worst: approximation.maxError, mean: approximationErrors(approximation, sample).mean };
      }),
    ];
  });
  return { ranges, layers };
}
