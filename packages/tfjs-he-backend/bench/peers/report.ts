import { cpus } from 'node:os';
import type { LoopTimes } from './native_loops.ts';
import { CASE_TITLES, CASES, DEGREE, type Measured, PRIME_BITS } from './workload.ts';

/** What a peer measured, or why it did not. */
export type PeerResult =
  | { readonly peer: string; readonly measured: readonly Measured[] }
  | { readonly peer: string; readonly unavailable: string };

export interface LoopResult {
  readonly build: string;
  readonly times: LoopTimes | { readonly unavailable: string };
}

/** The tables of a run, in Markdown. The first peer is the simd engine; others get their time in multiples of its own. */
export function peersReport(results: readonly PeerResult[], loops: readonly LoopResult[], clock: string): string {
  const title = ['', ...results.map(({ peer }) => peer)];
  const own = timesOf(results[0]);
  const rows = CASES.filter((name) => results.some((result) => timesOf(result).has(name))).map((name) => [
    CASE_TITLES[name],
    ...results.map((result, index) => {
      const ms = timesOf(result).get(name);
      if (ms === undefined) return '';
      const simd = own.get(name) ?? (name === 'dense, diagonals by hand' ? own.get('dense') : undefined);
      return index === 0 || simd === undefined ? `${ms.toFixed(1)} ms` : `${ms.toFixed(1)} ms (${(ms / simd).toFixed(1)})`;
    }),
  ]);
  const missing = results.flatMap((result) => ('unavailable' in result ? [`${result.peer} is not available: ${result.unavailable}`] : []));
  const loopRows = loops.map(({ build, times }) =>
    'unavailable' in times ? [build, times.unavailable, ''] : [build, `${times.butterflyNs.toFixed(3)} ns`, `${times.macNs.toFixed(3)} ns`],
  );
  return `# Beside other libraries

Written by \`npm run bench:peers\` on ${cpus()[0]?.model.trim() ?? 'an unknown processor'}, Node ${process.versions.node}: one thread each, medians of ${clock}, all in one
run. CKKS with ${DEGREE} coefficients and primes of ${PRIME_BITS.join(', ')} bits, the last one for key switching: 128 bits of security. In brackets: how many times as long
as the simd engine takes. Every result was decrypted and agreed with the clear one to ${errorBits(results)} bits.

${table([title, ...rows])}
${missing.map((line) => `\n${line}\n`).join('')}
Dense: what the library offers for a matrix in the clear. TenSEAL encodes the matrix at every call; "by hand" is the same map on encoded diagonals through the SEAL
that TenSEAL brings, in brackets against the simd engine's dense map.

## The loops

Processor time per butterfly of the forward transform and per multiply-accumulate of a sum of products, one thread, beside the same loops in C
(\`bench/peers/native_loops.c\`, \`cc -O3 -march=native\`), whose results are equal to the last bit:

${table([['', 'butterfly', 'multiply-accumulate'], ...loopRows])}
`;
}

function timesOf(result: PeerResult | undefined): ReadonlyMap<string, number> {
  return new Map(result !== undefined && 'measured' in result ? result.measured.map(({ case: name, ms }) => [name, ms]) : []);
}

function errorBits(results: readonly PeerResult[]): string {
  const errors = results.flatMap((result) => ('measured' in result ? result.measured.map(({ error }) => error) : []));
  return Math.floor(-Math.log2(Math.max(...errors))).toString();
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
