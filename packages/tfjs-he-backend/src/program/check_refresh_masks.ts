import type { Parameters } from '../parameters/parameters.js';
import { checkMaskSlack } from '../ring/mask.js';
import type { Program } from './program.js';

/**
 * Refuses a program whose refreshes its masks would not hide.
 * @throws HeError PARAMETERS_MASK_SLACK when the mask's range is less than 2^40 times the largest coefficient that `valueBits` admits.
 */
export function checkRefreshMasks(program: Program, parameters: Parameters): void {
  if (program.segments.some(({ refreshes }) => refreshes.length > 0)) checkMaskSlack(parameters);
}
