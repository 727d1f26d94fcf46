import type { Accuracies, ClassScores } from '../pretrained/config.js';
import { argMax, f1Scores, macroF1 } from './metrics.js';

/** Logits `[questions][labels]` of every form. */
export type FormLogits = Readonly<Record<keyof Accuracies, readonly Float32Array[]>>;

/**
 * What accuracy hides where labels are of unequal frequency.
 *
 * @param labels of the questions, as indices of `names`
 */
export function classScores(logits: FormLogits, labels: Int32Array, names: readonly string[]): ClassScores {
  const f1 = f1Scores(logits.polynomial, labels, names.length);
  const counts = names.map((_, label) => labels.filter((of) => of === label).length);
  const macro = (form: keyof Accuracies): number => macroF1(logits[form], labels, names.length);
  return {
    macroF1: { softmax: macro('softmax'), powerSoftmax: macro('powerSoftmax'), polynomial: macro('polynomial') },
    mostFrequent: { label: names[argMax(counts)] ?? '', share: Math.max(...counts) / labels.length },
    perLabel: names.map((label, index) => ({ label, questions: counts[index] ?? 0, f1: f1[index] ?? null })),
  };
}
