import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import 'tfjs-power-softmax';
import fs from 'node:fs';
import * as he from 'tfjs-he-backend';
import { createClient, pack, unpack } from 'tfjs-he-backend/client';
import { createServer } from 'tfjs-he-backend/server';

await tf.setBackend('cpu');
const dir = process.argv[2],
  engine = process.argv[3] ?? 'mock';
const json = JSON.parse(fs.readFileSync(dir + '/model.json', 'utf8'));
const weightFiles = json.weightsManifest.flatMap((g) => g.paths);
const weightData = Buffer.concat(weightFiles.map((p) => fs.readFileSync(dir + '/' + p)));
const model = await tfl.loadLayersModel(
  tf.io.fromMemory({
    modelTopology: json.modelTopology,
    weightSpecs: json.weightsManifest.flatMap((g) => g.weights),
    weightData: weightData.buffer.slice(weightData.byteOffset, weightData.byteOffset + weightData.length),
  }),
);
model.summary();
let t = performance.now();
const graph = await he.traceModel(model);
console.log('trace', performance.now() - t);
const ex = JSON.parse(fs.readFileSync(dir + '/' + fs.readdirSync(dir).find((f) => f.includes('input') || f.includes('example')), 'utf8'));
const x = Float32Array.from((ex.embedded ?? ex.input ?? ex.values ?? ex).flat(3));
const plain = model.predict(tf.tensor(x, [1, 32, 64])).dataSync();
const [clear] = he.evaluateGraph(graph, new Map([['input', x]]));
console.log('graph vs tfjs', Math.max(...clear.map((v, i) => Math.abs(v - plain[i]))));
t = performance.now();
const program = await he.compile(model, { ...JSON.parse(process.argv[4] ?? '{}') });
console.log('compile', performance.now() - t);
console.log(he.profileTable(he.profile(program)));
console.log(
  'galois',
  program.galoisSteps.join(' '),
  'rounds',
  program.segments.map((s) => s.refreshes.length).join(' '),
  'bytes',
  he.serializeProgram(program).length,
);
t = performance.now();
const client = await createClient(he.manifestOf(program), { engine });
const keys = await client.evaluationKeys();
console.log('client+keys', performance.now() - t, keys.length);
t = performance.now();
const server = await createServer(program, { engine });
const session = await server.openSession(keys);
console.log('server+session', performance.now() - t);
for (let i = 0; i < 2; i++) {
  t = performance.now();
  const layout = server.manifest.inputs[0];
  const enc = client.encrypt(pack(x, layout, client.parameters.slots));
  console.log(
    'encrypt',
    performance.now() - t,
    enc.map((e) => e.length),
  );
  t = performance.now();
  const res = await session.run(enc, { refresh: async (cs) => client.refresh(cs) });
  console.log(
    'run',
    performance.now() - t,
    res.evaluateMs,
    res.refreshMs,
    res.refreshes,
    JSON.stringify(res.layers.map((l) => [l.name, l.ms | 0, l.fromLevel, l.toLevel])),
  );
  const out = unpack(client.decrypt(res.outputs), server.manifest.outputs[0], client.parameters.slots);
  const err = Math.max(...out.map((v, i) => Math.abs(v - plain[i])));
  console.log('max err', err, 'bits', -Math.log2(err), 'argmax', out.indexOf(Math.max(...out)), plain.indexOf(Math.max(...plain)));
}
session.dispose();
server.dispose();
client.dispose();
