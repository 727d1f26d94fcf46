import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FOREIGN_PEERS } from './foreign_peers.ts';
import { type LoopTimes, nativeLoops, simdLoops } from './native_loops.ts';
import { measureOwnEngines } from './own_engines.ts';
import { type LoopResult, type PeerResult, peersReport } from './report.ts';

const here = import.meta.dirname;
/** A folder for each, which git and the tools here leave alone. */
const INSTALLED = resolve(here, '..', '..', '..', '..', 'node_modules', '.cache', 'bench-peers');
const DEFAULT_OUT = resolve(here, '..', '..', 'docs', 'peers.md');

const HELP = `usage: npm run bench:peers -- [options]

Rotation, product, dense 128x128 matrix and polynomial on the simd engine, node-seal, TenSEAL (Python) and Lattigo (Go): equal parameters, one thread
each, in one run; and the simd engine's loops beside native ones. TenSEAL and Lattigo are installed into node_modules/.cache/bench-peers; one that is
not available is named with the reason.

  --json           one JSON object a line and peer instead of the table
  --samples N      runs of every case (default 9)
  --only NAME      leaves out the others' peers but tenseal or lattigo
  --cpu            processor time instead of wall time, for busy machines
  --out FILE       where the table goes (default: docs/peers.md of tfjs-he-backend)`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      samples: { type: 'string', default: '9' },
      only: { type: 'string' },
      cpu: { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${HELP}\n`);
  const samples = Number(values.samples);
  if (!Number.isInteger(samples) || samples < 1) throw new Error('--samples takes a positive integer');
  if (values.only !== undefined && !Object.hasOwn(FOREIGN_PEERS, values.only)) {
    throw new Error(`--only takes one of ${Object.keys(FOREIGN_PEERS).join(', ')}`);
  }
  await mkdir(INSTALLED, { recursive: true });
  const own = await measureOwnEngines(samples, values.cpu);
  const results: PeerResult[] = [
    { peer: 'simd', measured: own.simd },
    { peer: 'node-seal', measured: own['node-seal'] },
  ];
  for (const [id, { name, measure }] of Object.entries(FOREIGN_PEERS)) {
    if (values.only !== undefined && values.only !== id) continue;
    process.stderr.write(`${name} ...\n`);
    results.push(
      await measure(here, join(INSTALLED, id), samples, values.cpu).then(
        (measured) => ({ peer: name, measured }),
        (reason: unknown) => ({ peer: name, unavailable: messageOf(reason) }),
      ),
    );
  }
  const loops = await measureLoops(samples);
  const report = peersReport(results, loops, `${samples} of ${values.cpu ? 'processor' : 'wall'} time`);
  const out = values.out === undefined ? DEFAULT_OUT : resolve(process.env.INIT_CWD ?? '.', values.out);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, report);
  if (values.json) for (const line of [...results, ...loops]) console.log(JSON.stringify(line));
  else console.log(`${report}\nwritten to ${out}`);
}

async function measureLoops(samples: number): Promise<readonly LoopResult[]> {
  const { variant, ...times } = await simdLoops(samples);
  const native = async (narrow: boolean): Promise<LoopResult['times']> =>
    nativeLoops(here, INSTALLED, narrow, samples).then(
      (measured): LoopTimes => measured,
      (reason: unknown) => ({ unavailable: messageOf(reason) }),
    );
  return [
    { build: `simd engine (${variant})`, times },
    { build: 'native, 128-bit vectors', times: await native(true) },
    { build: 'native, the widest vectors', times: await native(false) },
  ];
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

try {
  await main();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
