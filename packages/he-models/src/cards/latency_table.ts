import { megabytes, seconds } from './encrypted_section.js';
import type { ShippedFolder } from './shipped_cards.js';

const BEGIN = '<!-- latency: npm run figures -->';
const END = '<!-- end of latency -->';

/** A README with the table of warm encrypted latencies between its marks; models that were not measured are left out. */
export function withLatencyTable(readme: string, folders: readonly Pick<ShippedFolder, 'config' | 'figures'>[]): string {
  const [before, rest = ''] = readme.split(BEGIN);
  const [, after = ''] = rest.split(END);
  return `${before}${BEGIN}\n\n${latencyTable(folders)}\n\n${END}${after}`;
}

function latencyTable(folders: readonly Pick<ShippedFolder, 'config' | 'figures'>[]): string {
  const rows = folders.flatMap(({ config, figures }) => {
    if (figures?.execute === undefined) return [];
    const { plan, execute } = figures;
    const { totalMs, evaluateMs, refreshMs, refreshes, refreshRounds, keyBytes, uploadBytes, downloadBytes, bits } = execute;
    return [
      [
        config.name,
        String(plan.tokens),
        seconds(totalMs),
        seconds(evaluateMs),
        refreshes === 0 ? 'none' : `${seconds(refreshMs)} (${refreshes} in ${refreshRounds})`,
        megabytes(keyBytes),
        megabytes(uploadBytes + downloadBytes),
        bits.toFixed(1),
      ],
    ];
  });
  return aligned(['model', 'tokens', 'warm', 'server', 'refreshes (in rounds)', 'keys sent', 'traffic', 'bits'], rows);
}

/** A table as the formatter of this repository leaves it. */
function aligned(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n');
}
