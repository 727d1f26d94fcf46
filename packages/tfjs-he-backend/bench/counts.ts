import '@tensorflow/tfjs-backend-cpu';
import { parseArgs } from 'node:util';
import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';
import {
  choosePrimes,
  compile,
  compileGraph,
  createEmptyEngine,
  createOpCounts,
  createParameters,
  keySwitchingKeyBytes,
  profile,
  traceFunction,
} from 'tfjs-he-backend';
import { CASES, LAYOUT_CASES, traceable } from './cases.ts';
import { type CountRow, countRow, HAND_WRITTEN_CASES, HAND_WRITTEN_DEGREE, HAND_WRITTEN_PRIMES, handWrittenRow } from './count_row.ts';
import { SHIPPED_MODEL, shippedModel } from './shipped_model.ts';

export const COUNTS_HELP = `counts: operations, keys and bytes of compiled programs, beside hand-written ones

  --engine NAME    whose time the compiler minimises: seal or simd (default seal)
  --matmul NAME    products of encrypted matrices: auto, jkls or bicyclic (default auto)
  --layout NAME    layouts of all cases: auto, feature-major, token-major, interleaved, replicated or tiled (default auto, and some cases in each)
  --json           one JSON object a line
  --case TEXT      only cases whose name contains TEXT`;

const LAYOUTS = ['auto', 'feature-major', 'token-major', 'interleaved', 'replicated', 'tiled'] as const;

/** Prints one row per case as soon as it is compiled. */
export async function counts(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      engine: { type: 'string', default: 'seal' },
      matmul: { type: 'string', default: 'auto' },
      layout: { type: 'string' },
      json: { type: 'boolean', default: false },
      case: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(COUNTS_HELP);
    return;
  }
  const engine = values.engine === 'simd' ? 'simd' : 'seal';
  const matmul = values.matmul === 'jkls' || values.matmul === 'bicyclic' ? values.matmul : 'auto';
  const layout = LAYOUTS.find((name) => name === values.layout) ?? 'auto';
  enableProdMode();
  await setBackend('cpu');
  const wanted = (name: string): boolean => name.includes(values.case);
  const print = values.json ? printJson : printTable;
  for (const benchCase of CASES) {
    const { name, inputShape } = benchCase;
    if (!wanted(name)) continue;
    const graph = await traceFunction(traceable(benchCase), [{ name: 'x', shape: inputShape }]);
    print(countRow(name, profile(compileGraph(graph, { engine, matmul, layout }))));
    for (const handWritten of HAND_WRITTEN_CASES) if (handWritten.of === name) print(handWrittenRow(handWritten, countingEngine()));
  }
  for (const { name, inputShape, ...benchCase } of values.layout === undefined ? LAYOUT_CASES : []) {
    if (!wanted(name)) continue;
    const graph = await traceFunction(traceable({ name, inputShape, ...benchCase }), [{ name: 'x', shape: inputShape }]);
    for (const own of LAYOUTS) print(countRow(`${name}, ${own}`, profile(compileGraph(graph, { engine, matmul, layout: own }))));
  }
  if (wanted(SHIPPED_MODEL)) {
    const { model, inputShape } = await shippedModel();
    print(countRow(SHIPPED_MODEL, profile(await compile(model, { inputShape, engine, matmul, layout }))));
  }
}

function countingEngine() {
  const coeffModulus = choosePrimes(HAND_WRITTEN_DEGREE, HAND_WRITTEN_PRIMES);
  const parameters = createParameters({ polyModulusDegree: HAND_WRITTEN_DEGREE, coeffModulus, securityBits: 128, refreshLevel: 1 });
  const opCounts = createOpCounts();
  const engine = createEmptyEngine(parameters, { observe: opCounts.observe });
  return { engine, counts: opCounts, parameters, keyBytes: keySwitchingKeyBytes(HAND_WRITTEN_DEGREE, coeffModulus.length) };
}

function printJson(row: CountRow): void {
  console.log(JSON.stringify(row));
}

let printed = 0;

function printTable({ case: name, ...numbers }: CountRow): void {
  const cells = Object.entries(numbers).map(
    ([key, value]) => [key, typeof value === 'number' && key.endsWith('Bytes') ? `${(value / 1e6).toFixed(1)} MB` : value] as const,
  );
  // Numbers to the right, words to the left.
  const cell = (value: string | number | undefined, key: string): string =>
    key === 'layouts' ? `  ${value}` : String(value).padStart(key.length + 2);
  const header = cells.map(([key]) => cell(key, key));
  if (printed++ === 0) console.log(`${'case'.padEnd(44)}${header.join('')}`);
  console.log(`${name.padEnd(44)}${cells.map(([key, value]) => cell(value, key)).join('')}`);
}
