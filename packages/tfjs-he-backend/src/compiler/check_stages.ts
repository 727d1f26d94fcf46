import { BUG_HINT, HeError, type HeErrorCode } from '../errors.js';
import type { LinearMap } from '../graph/linear_map.js';
import { sizeOf, type TensorNode, topologicalOrder } from '../graph/node.js';
import type { Program } from '../program/program.js';
import { checkProgram, type DryRun } from './check.js';
import { type CircuitValue, operandsOf } from './circuit.js';
import type { DiagonalTerm } from './diagonals.js';
import { type LeveledCircuit, type LevelOptions, operandLevels } from './levels.js';
import type { Lowered } from './lowered.js';
import type { SlotLayout } from './slot_layout.js';

/**
 * Checkers between the stages of the compiler; the last one, on the program, is {@link checkProgram}. They change nothing. An error names the stage
 * and says whose mistake it is: weights that are not finite are the user's, everything else is a bug of this package.
 */

/**
 * After a pass on the graph: sizes fit, and weights are finite.
 * @param stage that made it
 * @throws HeError GRAPH_INVALID.
 */
export function checkGraph(outputs: readonly TensorNode[], stage = 'graph'): void {
  for (const node of topologicalOrder(outputs)) {
    if (node.kind !== 'affine') continue;
    const size = sizeOf(node.shape);
    for (const { map, source } of node.terms) {
      if (map.rows !== size || map.cols !== sizeOf(source.shape) || !(sound.has(map) || isWellFormed(map)))
        throw bug(stage, `a map of '${node.label}' does not fit`, 'GRAPH_INVALID');
      if (!sound.has(map) && !allFinite(map.value)) throw notFinite(node);
      sound.add(map);
    }
    if (node.bias !== null && node.bias.length !== size) throw bug(stage, `the bias of '${node.label}' does not fit`, 'GRAPH_INVALID');
    if (node.bias !== null && !allFinite(node.bias)) throw notFinite(node);
  }
}

/** Maps that have passed: most of them stay the same from stage to stage, and are in several circuits. */
const sound = new WeakSet<LinearMap>();

function isWellFormed({ rows, cols, rowStart, column, value }: LinearMap): boolean {
  if (rowStart.length !== rows + 1 || rowStart[rows] !== column.length || column.length !== value.length) return false;
  for (let i = 0; i < column.length; i++) {
    const c = column[i] ?? -1;
    if (c < 0 || c >= cols) return false;
  }
  return true;
}

function allFinite(values: Float64Array): boolean {
  let sum = 0;
  // 0 * Infinity and 0 * NaN are NaN.
  for (let i = 0; i < values.length; i++) sum += 0 * (values[i] ?? 0);
  return sum === 0;
}

/**
 * After lowering: operands come before their users, and every layout and diagonal lies in the slots.
 * @throws HeError COMPILE_FAILED.
 */
export function checkCircuit({ circuit, inputs, outputs }: Lowered, slots: number): void {
  for (const [index, value] of circuit.values.entries()) {
    if (value.id !== index || operandsOf(value).some(({ id }) => id >= index))
      throw bug('circuit', `'${value.label}' comes before its operands`);
    if (value.op.kind === 'linear' && !value.op.terms.every(({ plan }) => fitsSlots(plan, slots)))
      throw bug('circuit', `a diagonal of '${value.label}' does not fit`);
  }
  for (const { layout } of [...inputs, ...outputs].flatMap(({ parts }) => parts))
    if (!isInside(layout, slots)) throw bug('circuit', 'a layout does not fit');
}

function fitsSlots({ diagonals, sourcePeriod, period }: DiagonalTerm, slots: number): boolean {
  if (slots % sourcePeriod !== 0 || slots % period !== 0) return false;
  return [...diagonals].every(([step, diagonal]) => step >= 0 && step < sourcePeriod && diagonal.length === period);
}

function isInside({ slotOf, period }: SlotLayout, slots: number): boolean {
  return slots % period === 0 && slotOf.every((slot) => slot >= 0 && slot < period) && new Set(slotOf).size === slotOf.length;
}

/**
 * After the level pass: every value that is computed has its operands high enough, in its own segment or an earlier one.
 * @throws HeError COMPILE_FAILED.
 */
export function checkLevels(leveled: LeveledCircuit, { maxLevel, refreshLevel }: Pick<LevelOptions, 'maxLevel' | 'refreshLevel'>): void {
  const { circuit, level, segment } = leveled;
  const levelOf = ({ id }: CircuitValue): number => level[id] ?? -1;
  const segmentOf = ({ id }: CircuitValue): number => segment[id] ?? -1;
  for (const value of circuit.values) {
    const own = levelOf(value);
    if (own < 0) continue;
    if (own < refreshLevel || own > maxLevel) throw bug('levels', `'${value.label}' is at level ${own}`);
    if (value.op.kind === 'refresh') {
      if (segmentOf(value.op.source) + 1 !== segmentOf(value)) throw bug('levels', `'${value.label}' is refreshed in the wrong round`);
      continue;
    }
    for (const [i, needed] of operandLevels(value, leveled).entries()) {
      const operand = operandsOf(value)[i];
      if (operand === undefined || levelOf(operand) < own + needed || segmentOf(operand) > segmentOf(value))
        throw bug('levels', `an operand of '${value.label}' is too low or too late`);
    }
  }
  for (const [i, output] of circuit.outputs.entries()) {
    if (levelOf(output) < (circuit.kept?.has(i) ? maxLevel : refreshLevel)) throw bug('levels', 'an output is not computed');
  }
}

/**
 * After a pass on the program: it runs from beginning to end ({@link checkProgram}).
 * @param stage that made it
 * @returns what a run takes
 * @throws HeError COMPILE_FAILED.
 */
export function checkEmitted(program: Program, stage: string): DryRun {
  try {
    return checkProgram(program);
  } catch (cause) {
    if (!(cause instanceof HeError)) throw cause;
    throw bug(stage, `${cause.op ?? 'an instruction'} breaks the rule ${cause.code}`, 'COMPILE_FAILED', cause);
  }
}

function notFinite({ label }: TensorNode): HeError {
  return new HeError('GRAPH_INVALID', `weights of '${label}' are not finite`, {
    op: 'compile',
    hint: 'Check the model for NaN and Infinity.',
  });
}

function bug(stage: string, what: string, code: HeErrorCode = 'COMPILE_FAILED', cause?: HeError): HeError {
  return new HeError(code, `${what} (check of the ${stage})`, { op: 'compile', hint: BUG_HINT, cause });
}
