/** How attention and normalisation of a converted checkpoint compute. */
export type ModelForm =
  /** As the checkpoint was trained. */
  | { readonly attention: 'softmax' }
  /** To be trained further, into something that has a polynomial form. */
  | {
      readonly attention: 'power';
      /** Even power of PowerSoftmax. */
      readonly p: number;
      /** Added to `mean(scores^p)`. */
      readonly epsilon: number;
      /** Added to variances, instead of the checkpoint's tiny one. */
      readonly normEpsilon: number;
    };

/** What a language model's configuration says of its form. */
export function powerOf(form: ModelForm): { readonly power?: number } {
  return form.attention === 'softmax' ? {} : { power: form.p };
}
