/**
 * `npm run fuzz:simd -w tfjs-he-backend -- --cases 5000`: random operations of engine simd on random ciphertexts, compared with node-seal residue by residue. Ring degree,
 * primes of 30 to 50 bits, kernels and threads are drawn as well.
 */
import { parseArgs } from 'node:util';
import { openEnginePair, smallParameters } from './engine_pair.js';
import { differences, KEYS, operations } from './exact_operations.js';
import { randomSource } from './random.js';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const wanted = Number(values.cases);
const next = randomSource(Number(values.seed));
const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
const choose = <T>(of: readonly T[]): T => of[integer(0, of.length - 1)] as T; // not empty

/** Share of the cases, and how many are worth the contexts and keys of a parameter set. */
const DEGREES = [
  { degree: 4096, share: 0.5, perSet: 250, mostPrimes: 8 },
  { degree: 8192, share: 0.25, perSet: 125, mostPrimes: 7 },
  { degree: 16384, share: 0.15, perSet: 75, mostPrimes: 6 },
  { degree: 32768, share: 0.1, perSet: 50, mostPrimes: 5 },
];
const RUNTIMES = [{}, { variant: 'plain' }, { threads: 2 }] as const;

const tally = new Map<string, { cases: number; differing: number }>();
const sets: string[] = [];
let [cases, differing, inapplicable] = [0, 0, 0];

function count(key: string, isDifferent: boolean): void {
  const entry = tally.get(key) ?? { cases: 0, differing: 0 };
  entry.cases++;
  if (isDifferent) entry.differing++;
  tally.set(key, entry);
}

for (const { degree, share, perSet, mostPrimes } of DEGREES) {
  for (let left = Math.ceil(wanted * share); left > 0; ) {
    const bits = Array.from({ length: integer(3, mostPrimes) }, () => integer(30, 50));
    const options = choose(RUNTIMES);
    const pair = await openEnginePair(smallParameters(degree, bits), KEYS, options);
    const set = `N = ${degree}, primes of ${bits.join(' ')} bits, ${JSON.stringify(options)}`;
    sets.push(set);
    for (let i = 0; i < perSet && left > 0; ) {
      const [name, operation] = choose(Object.entries(operations));
      const c = { level: integer(0, pair.parameters.maxLevel), seed: integer(0, 2 ** 30) };
      const found = differences(pair, operation, c);
      if (found === undefined) {
        inapplicable++;
        continue;
      }
      i++;
      left--;
      cases++;
      count(`N = ${degree}`, found.length > 0);
      count(name, found.length > 0);
      if (found.length === 0) continue;
      differing++;
      console.error(`${set}: ${name} ${JSON.stringify(c)} differs in limbs ${JSON.stringify(found)}`);
    }
    pair.close();
    if (pair.sealRuntime.ledger.total().count + pair.simdRuntime.ledger.total().count !== 0)
      throw new Error(`${set}: objects are left over`);
  }
}

if (values.json) console.log(JSON.stringify({ cases, differing, inapplicable, parameterSets: sets.length, by: Object.fromEntries(tally) }));
else {
  for (const [key, entry] of tally) console.log(`${key.padEnd(30)}${String(entry.cases).padStart(6)} cases, ${entry.differing} differ`);
  console.log(
    `${cases} cases on ${sets.length} parameter sets: ${differing} differ from node-seal (${inapplicable} more drawn that SEAL's rules do not allow)`,
  );
}
process.exitCode = differing === 0 ? 0 : 1;
