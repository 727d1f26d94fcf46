import { parseArgs } from 'node:util';
import { compile, manifestOf } from 'tfjs-he-backend';
import { createClient } from 'tfjs-he-backend/client';
import { createServer, type ServerEngine } from 'tfjs-he-backend/server';
import { median } from './median.ts';
import { SHIPPED_MODEL, shippedModel } from './shipped_model.ts';

export const WORKERS_HELP = `workers: the shipped model on one thread and on several workers, alternating, constants encoded; then a batch of independent inputs,
one after the other on one thread and all at once on the workers

  --json           one JSON object a line (case, engine, workers, oneThreadMs, workersMs, ratio: wall time;
                   cpuOverhead: processor time of all threads over that of one; batch, batchSerialMs, batchMs,
                   batchRatio: wall time of the batch, the client's refreshes included)
  --engine NAME    seal (default) or simd
  --workers N      default 2
  --batch N        inputs of the batch (default 2)
  --samples N      runs of each (default 3)`;

export async function workers(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      engine: { type: 'string', default: 'seal' },
      workers: { type: 'string', default: '2' },
      batch: { type: 'string', default: '2' },
      samples: { type: 'string', default: '3' },
    },
  });
  const engine: ServerEngine = values.engine === 'simd' ? 'simd' : 'seal';
  const count = Number(values.workers);
  const batch = Number(values.batch);
  const { model, inputShape } = await shippedModel();
  const program = await compile(model, { inputShape });
  model.dispose();
  const client = await createClient(manifestOf(program), { engine: 'seal' });
  const keys = await client.evaluationKeys();
  const slots = new Float64Array(client.parameters.slots).map((_, i) => Math.sin(i) / 8);
  const inputs = client.encrypt([slots]);
  const open = async (threads: number) => {
    const server = await createServer(program, { engine, workers: threads });
    await server.prepare();
    const session = await server.openSession(keys);
    return {
      // The client's part of a refresh is not counted as wall time; as processor time it is the same for both.
      async run() {
        const before = process.cpuUsage();
        const { evaluateMs } = await session.run(inputs, { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
        const { user, system } = process.cpuUsage(before);
        return { wall: evaluateMs, cpu: (user + system) / 1000 };
      },
      close() {
        session.dispose();
        server.dispose();
      },
    };
  };
  const one = await open(0);
  const several = await open(count);
  await one.run();
  await several.run();
  const times: Record<'one' | 'several', { readonly wall: number; readonly cpu: number }[]> = { one: [], several: [] };
  for (let i = 0; i < Number(values.samples); i++) {
    times.one.push(await one.run());
    times.several.push(await several.run());
  }
  const batches: Record<'serial' | 'atOnce', number[]> = { serial: [], atOnce: [] };
  const timed = async (body: () => Promise<unknown>): Promise<number> => {
    const before = performance.now();
    await body();
    return performance.now() - before;
  };
  for (let i = 0; i < Number(values.samples); i++) {
    batches.serial.push(
      await timed(async () => {
        for (let b = 0; b < batch; b++) await one.run();
      }),
    );
    batches.atOnce.push(await timed(() => Promise.all(Array.from({ length: batch }, () => several.run()))));
  }
  one.close();
  several.close();
  client.dispose();
  const medianOf = (of: 'one' | 'several', clock: 'wall' | 'cpu') => median(times[of].map((time) => time[clock]));
  const [oneThreadMs, workersMs] = [medianOf('one', 'wall'), medianOf('several', 'wall')];
  const cpuOverhead = medianOf('several', 'cpu') / medianOf('one', 'cpu');
  const [batchSerialMs, batchMs] = [median(batches.serial), median(batches.atOnce)];
  const ofBatch = { batch, batchSerialMs, batchMs, batchRatio: batchSerialMs / batchMs };
  const row = {
    case: SHIPPED_MODEL,
    engine,
    workers: count,
    oneThreadMs,
    workersMs,
    ratio: oneThreadMs / workersMs,
    cpuOverhead,
    ...ofBatch,
  };
  if (values.json) console.log(JSON.stringify(row));
  else {
    const [single, shared] = [oneThreadMs, workersMs].map((ms) => `${ms.toFixed(0)} ms`);
    console.log(
      `${row.case} (${engine}): one thread ${single}, ${count} workers ${shared}, ratio ${row.ratio.toFixed(2)}, processor time x${cpuOverhead.toFixed(2)}`,
    );
    console.log(
      `${batch} inputs: one after the other on one thread ${batchSerialMs.toFixed(0)} ms, at once on ${count} workers ${batchMs.toFixed(0)} ms, ratio ${row.batchRatio.toFixed(2)}`,
    );
  }
}
