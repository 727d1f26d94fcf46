import type { ModelForm } from '../convert/form.js';
import { UsageError } from '../errors.js';
import { integerOption, numberOption, type OptionValues } from './arguments.js';

const DEFAULT_POWER = 4;
/** With these, a reciprocal and an inverse square root have polynomials of low degree on what training leaves them. */
const DEFAULT_EPSILON = 0.1;

/** What `convert` of a checkpoint makes of its attention. @throws UsageError */
export function formOf(values: OptionValues): ModelForm {
  const power = integerOption('swap-softmax', values['swap-softmax'], 2);
  const epsilon = numberOption('epsilon', values.epsilon, 0, 100);
  const normEpsilon = numberOption('norm-epsilon', values['norm-epsilon'], 0, 100);
  if (values['keep-softmax'] !== true) {
    return {
      attention: 'power',
      p: power ?? DEFAULT_POWER,
      epsilon: epsilon ?? DEFAULT_EPSILON,
      normEpsilon: normEpsilon ?? DEFAULT_EPSILON,
    };
  }
  if (power === undefined && epsilon === undefined && normEpsilon === undefined) return { attention: 'softmax' };
  throw new UsageError('--keep-softmax leaves the model as it is: give it without --swap-softmax, --epsilon and --norm-epsilon.', {});
}
