import { parseArgs, types } from 'node:util';
import { UsageError } from '../errors.js';

export type OptionSpecs = Readonly<
  Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string; readonly default?: string | boolean }>
>;
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface Arguments {
  readonly values: OptionValues;
  readonly positionals: readonly string[];
}

/** Options and other arguments of a command line. @throws UsageError */
export function parseArguments(args: readonly string[], options: OptionSpecs): Arguments {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return {
      values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value])),
      positionals,
    };
  } catch (error) {
    // Of what Node says, the first sentence; the rest is about dashes.
    const [said] = (types.isNativeError(error) ? error.message : String(error)).split(/\.\s|\.?\n|\.$/);
    throw new UsageError(`${said}. See --help.`, {});
  }
}

/** @throws UsageError unless the option is absent or an integer of at least `least` */
export function integerOption(name: string, value: string | boolean | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least) {
    throw new UsageError(`--${name} must be an integer of at least ${least}, not ${String(value)}.`, {});
  }
  return number;
}

/** @throws UsageError unless the option is absent or a number from `least` to `most` */
export function numberOption(name: string, value: string | boolean | undefined, least: number, most: number): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new UsageError(`--${name} must be a number from ${least} to ${most}, not ${String(value)}.`, {});
  }
  return number;
}

/** @throws UsageError unless the option is one of `choices` */
export function choiceOption<Choice extends string>(name: string, value: string | boolean | undefined, choices: readonly Choice[]): Choice {
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined) throw new UsageError(`--${name} must be one of ${choices.join(', ')}, not ${String(value)}.`, {});
  return chosen;
}

/** @throws UsageError unless the option is given */
export function requiredOption(name: string, value: string | boolean | undefined, what: string): string {
  if (typeof value !== 'string') throw new UsageError(`--${name} is required: ${what}. See --help.`, {});
  return value;
}

/** The one argument that is no option. @throws UsageError */
export function onlyPositional(positionals: readonly string[], what: string): string {
  const [first, ...rest] = positionals;
  if (first === undefined || rest.length > 0) throw new UsageError(`Name one ${what}. See --help.`, { given: positionals });
  return first;
}
