import * as tf from '@tensorflow/tfjs-core';
import { type CompileOptions, compile, type Profile, profile } from 'tfjs-he-backend';
import { type Client, createClient, pack, unpack } from 'tfjs-he-backend/client';
import { createServer, type ProgressEvent, type Session } from 'tfjs-he-backend/server';
import { decide, type Example, type Trained } from './example.ts';
import { accuracy } from './training.ts';

export interface RunOptions {
  /** `seal` computes on ciphertexts; `mock` on plain numbers with the noise that ciphertexts would have. */
  readonly engine: 'seal' | 'mock';
  /** How many of the test examples are asked, one after the other; at least 1. */
  readonly questions: number;
  readonly onProfile?: (profile: Profile) => void;
  readonly onProgress?: (event: ProgressEvent) => void;
}

/** What came out of an encrypted run, times in milliseconds. */
export interface RunReport {
  readonly name: string;
  readonly engine: 'seal' | 'mock';
  readonly profile: Profile;
  /** Of the model in the clear, on all test examples. */
  readonly accuracy: number;
  readonly answers: readonly Answer[];
  /** -log2 of the largest absolute difference between decrypted and plain scores; equal ones count as float32 can tell them apart. */
  readonly bits: number;
  /** Share of the questions with the same highest score as in the clear. */
  readonly agreement: number;
  readonly compileMs: number;
  readonly keysMs: number;
  /** The first question, which also encodes the model's constants, and the median of those after it. */
  readonly coldMs: number;
  readonly warmMs: number;
}

export interface Answer {
  readonly label: string;
  readonly decrypted: readonly number[];
  readonly plain: readonly number[];
  readonly ms: number;
}

/** What programs are fast for: SEAL, also where `mock` imitates it. */
const PLAN = { engine: 'seal', roundTripMs: 20 } as const satisfies CompileOptions;

/** Compiles a trained model and asks it about encrypted test examples, with client and server in one process. */
export async function runEncrypted(example: Example, { model, test }: Trained, options: RunOptions): Promise<RunReport> {
  const { engine, questions, onProfile, onProgress } = options;
  const started = performance.now();
  const program = await compile(model, { ...PLAN, ...example.options });
  const compiled = performance.now();
  const planned = profile(program, PLAN.roundTripMs, PLAN.engine);
  onProfile?.(planned);

  using stack = new DisposableStack();
  const server = stack.adopt(await createServer(program, { engine }), (held) => held.dispose());
  const client = stack.adopt(await createClient(server.manifest, { engine }), (held) => held.dispose());
  const session = stack.adopt(await server.openSession(await client.evaluationKeys()), (held) => held.dispose());
  const ready = performance.now();

  const answers: Answer[] = [];
  for (const x of tf.unstack(test.x).slice(0, questions)) {
    const begin = performance.now();
    const decrypted = await ask(client, session, await x.data(), onProgress);
    const ms = performance.now() - begin;
    const plain = Array.from((model.predict(tf.expandDims(x)) as tf.Tensor).dataSync());
    answers.push({ label: example.classes[test.labels[answers.length] ?? 0] ?? '', decrypted, plain, ms });
  }

  const errors = answers.flatMap(({ decrypted, plain }) => decrypted.map((score, i) => Math.abs(score - (plain[i] ?? Number.NaN))));
  const resolution = 2 ** -24 * Math.max(...answers.flatMap(({ plain }) => plain.map(Math.abs)));
  const [coldMs = 0, ...warm] = answers.map(({ ms }) => ms);
  return {
    name: example.name,
    engine,
    profile: planned,
    accuracy: accuracy(model, test),
    answers,
    bits: -Math.log2(Math.max(resolution, ...errors)),
    agreement: answers.filter(({ decrypted, plain }) => decide(decrypted) === decide(plain)).length / answers.length,
    compileMs: compiled - started,
    keysMs: ready - compiled,
    coldMs,
    warmMs: warm.toSorted((a, b) => a - b)[Math.floor(warm.length / 2)] ?? coldMs,
  };
}

/** One question: encrypted by the client, evaluated by the server, decrypted by the client, who also refreshes ciphertexts in between. */
async function ask(client: Client, session: Session, x: ArrayLike<number>, onProgress?: (event: ProgressEvent) => void): Promise<number[]> {
  const { inputs, outputs } = client.manifest;
  const [input, output] = [inputs[0], outputs[0]];
  if (input === undefined || output === undefined) throw new Error('a model has one input and one output');
  const { slots } = client.parameters;
  const result = await session.run(client.encrypt(pack(Array.from(x), input, slots)), {
    refresh: async (masked) => client.refresh(masked),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return Array.from(unpack(client.decrypt(result.outputs), output, slots));
}
