import { precisionTable } from './precision.js';
import type { DebugReport, DebugStep } from './run_lanes.js';

/** A report as text: a row per layer and refresh round (per operation with `every`), the outputs, and what left its interval. */
export function debugTable(report: DebugReport, { every = false }: { readonly every?: boolean } = {}): string {
  const groups = every ? report.steps.map((step) => [step]) : byLayer(report.steps);
  const names = groups.map((group) => nameOf(group, every));
  const width = Math.max(5, ...names.map((name) => name.length));
  const head = `${(every ? 'op' : 'layer').padEnd(width)}   level    largest   bits seal  lost   bits mock  lost`;
  const rows = groups.map((group, i) => `${(names[i] ?? '').padEnd(width)}${cells(group)}`);
  const outputs = Object.entries(report.outputs).flatMap(([name, { seal, mock }]) => [
    [`${name} (seal)`, seal] as const,
    [`${name} (mock)`, mock] as const,
  ]);
  return [head, ...rows, ...(outputs.length > 0 ? ['', precisionTable(Object.fromEntries(outputs))] : []), '', breachLine(report)].join(
    '\n',
  );
}

function byLayer(steps: readonly DebugStep[]): DebugStep[][] {
  const groups: DebugStep[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last?.[0] !== undefined && last[0].layer === step.layer && last[0].segment === step.segment) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

function nameOf(group: readonly DebugStep[], every: boolean): string {
  const [first] = group;
  if (first === undefined) return '';
  if (first.op === 'refresh') return every ? 'refresh' : `refresh ${first.segment + 1} (${group.length})`;
  return every ? `${first.index} ${first.op} (${first.layer})` : first.layer;
}

function cells(group: readonly DebugStep[]): string {
  const largest = Math.max(...group.flatMap(({ range }) => range.map(Math.abs)));
  const bits = (pick: (step: DebugStep) => number) => Math.min(...group.map(pick)).toFixed(1);
  const lost = (pick: (step: DebugStep) => number) => Math.max(...group.map(pick)).toFixed(1);
  return [
    String(Math.max(...group.map(({ level }) => level))).padStart(8),
    largest.toPrecision(4).padStart(11),
    bits((step) => step.bits.seal).padStart(12),
    lost((step) => step.lost.seal).padStart(6),
    bits((step) => step.bits.mock).padStart(12),
    lost((step) => step.lost.mock).padStart(6),
  ].join('');
}

function breachLine({ outside }: DebugReport): string {
  if (outside === null) return 'every result stayed in its interval';
  const [low, high] = outside.range.map((value) => value.toPrecision(4));
  const where = `step ${outside.step} (${outside.op} in '${outside.layer}')`;
  if (outside.interval === undefined)
    return `${where} leaves the modulus: its operand has values from ${low} to ${high} (compile with larger valueBits)`;
  const [least, most] = outside.interval;
  const what = outside.source === 'valueBits' ? 'the bound on refreshed values (valueBits)' : 'the interval of its layer';
  return `${where} leaves ${what}, ${least} to ${most}: its values go from ${low} to ${high}`;
}
