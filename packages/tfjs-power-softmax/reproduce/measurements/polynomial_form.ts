import { checkIntervals, type PolynomialReport, toPolynomial } from 'tfjs-power-softmax';
import { type Corpus, evenWindows } from '../corpus.ts';
import { meanLoss } from '../evaluation.ts';
import type { LanguageModel } from '../model.ts';
import { finite } from '../training.ts';
import { calibrationWindows, withCharacters } from './calibration.ts';

export interface PolynomialConfig {
  /** Accuracy of every approximation, `-log2` of its largest error. */
  readonly bits: number;
  /** How far beyond calibration data the intervals reach. */
  readonly margin: number;
  /** Windows of training text for calibration, of validation text for what follows. */
  readonly calibrationWindows: number;
  readonly validationWindows: number;
}

/** One approximation. */
export interface PolynomialSite {
  readonly site: string;
  readonly function: string;
  readonly interval: readonly [lower: number, upper: number];
  readonly method: string;
  readonly degree: number;
  readonly depth: number;
  /** Inputs on validation text that left the interval, of `count`. */
  readonly outside: number;
  readonly count: number;
}

export interface PolynomialResult {
  /** Cross-entropies on the same validation windows, in nats per character; null where they are not finite. */
  readonly originalLoss: number | null;
  readonly polynomialLoss: number | null;
  readonly sites: readonly PolynomialSite[];
  /** Why there is no polynomial form; null where there is one. */
  readonly error: string | null;
}

/** Converts a model, calibrated on training text, and runs both forms on validation text. */
export function measurePolynomial({ model }: LanguageModel, corpus: Corpus, config: PolynomialConfig, tokens: number): PolynomialResult {
  const size = corpus.vocabulary.length;
  const validation = evenWindows(corpus.validation, config.validationWindows, tokens);
  const originalLoss = finite(meanLoss(model, validation, size));
  const { bits, margin } = config;
  try {
    const converted = withCharacters(calibrationWindows(corpus, config.calibrationWindows, tokens), size, (calibration) =>
      toPolynomial(model, { calibration, bits, margin }),
    );
    const checks = withCharacters(validation, size, (characters) => checkIntervals(converted.model, characters));
    const polynomialLoss = finite(meanLoss(converted.model, validation, size));
    converted.model.dispose();
    return { originalLoss, polynomialLoss, sites: sitesOf(converted.report, checks), error: null };
  } catch (error) {
    return { originalLoss, polynomialLoss: null, sites: [], error: error instanceof Error ? error.message : String(error) };
  }
}

function sitesOf({ sites }: PolynomialReport, checks: ReturnType<typeof checkIntervals>): PolynomialSite[] {
  return sites.map(({ site, function: name, interval, method, degree, depth }) => {
    const { outside = 0, count = 0 } = checks.find((check) => check.site === site) ?? {};
    return { site, function: name, interval, method, degree, depth, outside, count };
  });
}
