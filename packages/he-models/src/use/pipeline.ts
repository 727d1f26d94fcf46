import type { CompileOptions } from 'tfjs-he-backend';
import { NotConnectedError, UnknownTaskError } from '../errors.js';
import type { LoadOptions } from '../hub/model_files.js';
import { type ClassificationTask, TASKS, type Task } from '../pretrained/config.js';
import { loadClearModel } from './clear_model.js';
import { loadClearReader } from './clear_reader.js';
import { continueText, type NextToken } from './continue_text.js';
import type { ModelInput } from './encoder.js';
import type { Evaluator, EvaluatorOptions } from './evaluator.js';
import { type EncryptedFhe, HeModelClient } from './he_model_client.js';
import { type InferOptions, openLocalPair } from './local_pair.js';
import { openLocalReader } from './local_reader.js';
import type { Classification } from './rank_labels.js';
import type { TextReader } from './text_reader.js';

/** `disable` runs the polynomial in the clear, `simulate` with the noise of encryption, `execute` on ciphertexts. */
export type Fhe = 'disable' | 'simulate' | 'execute';

export interface PipelineOptions extends LoadOptions, EvaluatorOptions {
  /** Default `execute`. */
  readonly fhe?: Fhe;
  /** Instead of the model's own parameters. */
  readonly compile?: CompileOptions;
  /** Of language models: cache keys and values at the server; see `HeModelServer`. Default true. */
  readonly cache?: boolean;
  /** Seed of the noise in `simulate`. */
  readonly seed?: number;
}

export interface ClassifyOptions extends InferOptions {
  /** Labels to return, highest score first. Default 1. */
  readonly top_k?: number;
}

/** A loaded model, called like a function. `engine` and `execution` say who evaluates, unless `fhe` is `disable`. */
export interface ClassificationPipeline<Input extends ModelInput> extends Partial<Evaluator> {
  /**
   * Classifies one input. One at a time: calls wait for each other.
   *
   * @throws InputError, EmptyTextError, TextTooLongError, UnknownTextError, HeError, or the reason of an aborted signal
   */
  (input: Input, options?: ClassifyOptions): Promise<Classification[]>;
  /** Several inputs one after the other; `top_k` labels each. */
  (inputs: readonly Input[], options?: ClassifyOptions): Promise<Classification[][]>;
  readonly task: ClassificationTask;
  readonly model: string;
  readonly fhe: Fhe;
  readonly labels: readonly string[];
  /** Releases keys, ciphertexts and weights. */
  readonly dispose: () => void;
}

export interface GenerateOptions extends Pick<InferOptions, 'signal' | 'onProgress'> {
  /** Tokens to write at most. Default 20. */
  readonly max_new_tokens?: number;
  /** Called with the text of every new token as soon as it is there. */
  readonly callback_function?: (text: string) => void;
}

/** A loaded language model, called like a function. `engine` and `execution` say who evaluates, unless `fhe` is `disable`. */
export interface GenerationPipeline extends Partial<Evaluator> {
  /**
   * The text and its likeliest continuation, token by token: the client decrypts the logits, takes the likeliest token and sends it encrypted; keys and
   * values of the tokens before stay encrypted at the server until the call ends. Every token sees as many as the model's context before it, of a longer
   * text the last ones. One at a time: calls wait for each other.
   *
   * @throws InputError, HeError, or the reason of an aborted signal
   */
  (text: string, options?: GenerateOptions): Promise<{ readonly generated_text: string }[]>;
  readonly task: 'text-generation';
  readonly model: string;
  readonly fhe: Fhe;
  /** Releases keys, ciphertexts and weights. */
  readonly dispose: () => void;
}

/** What a task takes. */
export interface TaskInputs {
  readonly 'text-classification': string;
  readonly 'signal-classification': ArrayLike<number>;
  readonly 'image-classification': ArrayLike<number>;
}

const DEFAULT_MODELS: Readonly<Record<Task, string>> = {
  'text-classification': 'power-banking77',
  'signal-classification': 'power-ecg',
  'image-classification': 'power-mnist-vit',
  'text-generation': 'power-stories-260k',
};

/**
 * Loads a model for a task, with a client and a server in this process that talk as they would over a network:
 *
 *     const classify = await pipeline('text-classification', 'power-banking77', { fhe: 'execute', progress_callback: console.log });
 *     await classify('I was charged twice'); // [{ label: 'transaction_charged_twice', score: 0.93 }]
 *     classify.dispose();
 *
 * For a server elsewhere use `HeModelClient` and `HeModelServer`.
 *
 * @param model a model of this package (default: the one for the task), a folder (Node), a URL, or `owner/name` at `env.remoteHost`
 * @throws UnknownTaskError, UnknownModelError, ModelUnavailableError, AssetError, HeError, or the reason of an aborted signal
 */
export function pipeline(task: 'text-generation', model?: string | URL | null, options?: PipelineOptions): Promise<GenerationPipeline>;
export function pipeline<T extends ClassificationTask>(
  task: T,
  model?: string | URL | null,
  options?: PipelineOptions,
): Promise<ClassificationPipeline<TaskInputs[T]>>;
export async function pipeline(
  task: Task,
  model?: string | URL | null,
  options: PipelineOptions = {},
): Promise<GenerationPipeline | ClassificationPipeline<ModelInput>> {
  if (!TASKS.includes(task))
    throw new UnknownTaskError(`There is no task ${task}: choose one of ${TASKS.join(', ')}.`, { task, known: TASKS });
  const { fhe = 'execute', progress_callback: report } = options;
  if (fhe !== 'disable' && fhe !== 'simulate' && fhe !== 'execute') {
    throw new UnknownTaskError(`fhe is ${String(fhe)}: choose disable, simulate or execute.`, { fhe: String(fhe) });
  }
  const name = model ?? DEFAULT_MODELS[task];
  const client = await HeModelClient.from_pretrained(name, options);
  if (client.task !== task) throw new UnknownTaskError(`${client.name} is a model for ${client.task}, not for ${task}.`, { task });
  if (task === 'text-generation') {
    const { begin, dispose, ...evaluator } =
      fhe === 'disable' ? await loadClearReader(client, name, options) : await openEncryptedReader(client, name, fhe, options);
    const queue = openQueue(client.name, dispose);
    report?.({ status: 'ready', name: client.name, task });
    const generate: Generate = (text, generateOptions) => queue.run(() => generateText(client, begin, text, generateOptions));
    return Object.assign(generate, { task, model: client.name, fhe, ...evaluator, dispose: queue.dispose });
  }
  const { logits, dispose, ...evaluator } =
    fhe === 'disable' ? await openClear(client, name, options) : await openEncrypted(client, name, fhe, options);
  const queue = openQueue(client.name, dispose);
  report?.({ status: 'ready', name: client.name, task });
  const classifyOne = (input: ModelInput, { top_k = 1, ...rest }: ClassifyOptions): Promise<Classification[]> =>
    queue.run(async () => client.classify(await logits(input, rest), top_k));
  const call = (input: ModelInput | readonly ModelInput[], classifyOptions: ClassifyOptions = {}) =>
    isList(input) ? Promise.all(input.map((one) => classifyOne(one, classifyOptions))) : classifyOne(input, classifyOptions);
  // The overloads of the interface say for each kind of input what `call` returns.
  return Object.assign(call, {
    task,
    model: client.name,
    fhe,
    ...evaluator,
    labels: client.labels,
    dispose: queue.dispose,
  }) as ClassificationPipeline<ModelInput>;
}

type Generate = (text: string, options?: GenerateOptions) => Promise<{ readonly generated_text: string }[]>;

async function generateText(
  client: HeModelClient,
  begin: TextReader['begin'],
  text: string,
  { max_new_tokens = 20, callback_function, ...rest }: GenerateOptions = {},
): ReturnType<Generate> {
  const { ids } = client.tokenize(text, { truncate: true });
  const { config } = client;
  const end = config.task === 'text-generation' ? config.special?.end : undefined;
  rest.signal?.throwIfAborted();
  const written: number[] = [];
  const onToken = (token: number): void => {
    const before = client.decode(written);
    written.push(token);
    callback_function?.(client.decode(written).slice(before.length));
  };
  const open = begin();
  try {
    const read: NextToken['read'] = (tokens) => open.read(tokens, rest);
    await continueText(ids, max_new_tokens, { read, onToken, ...(end === undefined ? {} : { end }) });
    return [{ generated_text: `${text}${client.decode(written)}` }];
  } finally {
    open.dispose();
  }
}

interface Queue {
  /** Runs tasks in the order given, each after the one before has ended. @throws NotConnectedError once it is disposed of */
  readonly run: <T>(task: () => Promise<T>) => Promise<T>;
  readonly dispose: () => void;
}

function openQueue(model: string, dispose: () => void): Queue {
  let last: Promise<unknown> = Promise.resolve();
  let disposed = false;
  return {
    run: (task) => {
      const result = last.then(() => {
        if (disposed) throw new NotConnectedError(`This pipeline of ${model} has been disposed of: make another.`, { model });
        return task();
      });
      last = result.catch(() => {});
      return result;
    },
    dispose: () => {
      if (!disposed) dispose();
      disposed = true;
    },
  };
}

/** A list of inputs, as opposed to one input that is a list of numbers. */
function isList(input: ModelInput | readonly ModelInput[]): input is readonly ModelInput[] {
  return Array.isArray(input) && input.every((one) => typeof one === 'string' || (typeof one === 'object' && one !== null));
}

async function openEncryptedReader(
  client: HeModelClient,
  model: string | URL,
  fhe: EncryptedFhe,
  options: PipelineOptions,
): Promise<TextReader & Evaluator> {
  const { begin, dispose, pair } = await openLocalReader(client, model, { ...options, fhe });
  return { begin, dispose, engine: pair.server.engine, execution: pair.server.execution };
}

interface Opened extends Partial<Evaluator> {
  readonly logits: (input: ModelInput, options: InferOptions) => Promise<Float32Array>;
  readonly dispose: () => void;
}

async function openClear(client: HeModelClient, model: string | URL, options: LoadOptions): Promise<Opened> {
  const { logits, dispose } = await loadClearModel(model, options);
  return {
    logits: async (input, { signal, ...encode }) => {
      signal?.throwIfAborted();
      return logits(client.embed(input, encode));
    },
    dispose,
  };
}

async function openEncrypted(client: HeModelClient, model: string | URL, fhe: EncryptedFhe, options: PipelineOptions): Promise<Opened> {
  const { infer, dispose, server } = await openLocalPair(client, model, { ...options, fhe });
  const { engine, execution } = server;
  return { logits: async (input, inferOptions) => (await infer(input, inferOptions)).logits, dispose, engine, execution };
}
