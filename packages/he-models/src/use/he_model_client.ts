import { type Client, createClient, type Manifest, pack, unpack } from 'tfjs-he-backend/client';
import { InputError, NotConnectedError } from '../errors.js';
import { type LoadOptions, openModel } from '../hub/model_files.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import type { PretrainedConfig, Task } from '../pretrained/config.js';
import type { TokenizedText } from '../text/text_tokenizer.js';
import { type EncodeOptions, type InputEncoder, loadEncoder, type ModelInput } from './encoder.js';
import { type Classification, rankLabels } from './rank_labels.js';
import { tokenShare } from './token_share.js';

/** `simulate` computes on `mock`, which has CKKS' rules and noise and keeps nothing secret; `execute` on ciphertexts. */
export type EncryptedFhe = 'simulate' | 'execute';

export interface ConnectOptions {
  /** Must be what the server runs: in `simulate` a server would get the data in the clear. Default `execute`. */
  readonly fhe?: EncryptedFhe;
  /** Seed of the noise in `simulate`. */
  readonly seed?: number;
  readonly progress_callback?: LoadOptions['progress_callback'];
  readonly signal?: AbortSignal;
}

/**
 * The client of one model: it alone has the data and, once connected, the secret key. Runs in browsers and Node, without tfjs and without the
 * server's weights.
 *
 *     const client = await HeModelClient.from_pretrained('power-banking77');
 *     const keys = await client.connect(manifest);       // the server's manifest; send it the keys, once
 *     const ciphertexts = client.encrypt('My card was stolen');
 *     // the server runs; whenever it asks, send back client.refresh(what it sent)
 *     const [{ label, score }] = client.classify(client.decrypt(outputs));
 */
export class HeModelClient {
  readonly config: PretrainedConfig;
  readonly #encoder: InputEncoder;
  #keys: Client | undefined;

  private constructor(config: PretrainedConfig, encoder: InputEncoder) {
    this.config = config;
    this.#encoder = encoder;
  }

  /**
   * @param model a model of this package, a folder (Node), a URL, or `owner/name` at `env.remoteHost`
   * @throws UnknownModelError, ModelUnavailableError, AssetError, or the reason of an aborted signal
   */
  static async from_pretrained(model: string | URL, options: LoadOptions = {}): Promise<HeModelClient> {
    const files = await openModel(model, CLIENT_BUNDLES, options);
    return new HeModelClient(files.config, await loadEncoder(files));
  }

  get name(): string {
    return this.config.name;
  }

  get task(): Task {
    return this.config.task ?? 'text-classification';
  }

  /** Names of the logits, in order. */
  get labels(): readonly string[] {
    return this.config.labels;
  }

  /** Shape of what is encrypted, `[1, tokens, features]`. */
  get inputShape(): readonly [1, number, number] {
    return this.#encoder.inputShape;
  }

  /** Tokens of a text. @throws EmptyTextError, TextTooLongError, InputError for a model of arrays */
  tokenize(text: string, options?: EncodeOptions): TokenizedText {
    return this.#encoder.tokenize(text, options);
  }

  /** The text of a language model's tokens; of first tokens of a text the space before it is a part. @throws InputError for other models */
  decode(ids: readonly number[]): string {
    return this.#encoder.decode(ids);
  }

  /**
   * The numbers that are encrypted, row-major `[tokens * features]`.
   *
   * @throws InputError, EmptyTextError, TextTooLongError, UnknownTextError
   */
  embed(input: ModelInput, options?: EncodeOptions): Float32Array {
    return this.#encoder.embed(input, options);
  }

  /**
   * Makes new keys for a server's program. The secret key stays here; what is returned goes to the server, which needs it for every run.
   *
   * @param manifest the server's, of any origin: it is validated, and less than 128-bit security is refused
   * @throws HeError MANIFEST_INVALID, PARAMETERS_INVALID, PARAMETERS_INSECURE, RUNTIME_UNSUPPORTED, or the reason of an aborted signal
   */
  async connect(manifest: Manifest, options: ConnectOptions = {}): Promise<Uint8Array> {
    const { fhe = 'execute', seed, signal, progress_callback: report } = options;
    signal?.throwIfAborted();
    const engine = fhe === 'execute' ? 'seal' : 'mock';
    const client = await createClient(manifest, seed === undefined ? { engine } : { engine, seed });
    try {
      const onProgress = (loaded: number, total: number): void => report?.({ status: 'keys', name: this.name, loaded, total });
      const evaluationKeys = await client.evaluationKeys(onProgress, signal);
      this.dispose();
      this.#keys = client;
      return evaluationKeys;
    } catch (error) {
      client.dispose();
      signal?.throwIfAborted();
      throw error;
    }
  }

  /** What a server that was loaded with `rerandomize` needs beside the keys of {@link connect}. It is no secret. @throws NotConnectedError */
  publicKey(): Uint8Array {
    return this.#connected().publicKey();
  }

  /** Embeds and encrypts an input; see {@link embed} for its errors. @returns ciphertexts in wire form @throws NotConnectedError */
  encrypt(input: ModelInput, options?: EncodeOptions): Uint8Array[] {
    return this.encryptEmbedded(this.embed(input, options));
  }

  /** The same for what {@link embed} gave. @throws NotConnectedError, HeError ENCODE_INVALID */
  encryptEmbedded(values: ArrayLike<number>): Uint8Array[] {
    const client = this.#connected();
    return client.encrypt(client.manifest.inputs.flatMap((layout) => pack(values, layout, client.parameters.slots)));
  }

  /** Row of a language model's embedding, `[features]`. @throws InputError for what is no token */
  embedToken(token: number): Float32Array {
    return this.embed([token]).slice(0, this.inputShape[2]);
  }

  /**
   * Encrypts what a language model's server begins a text with (nothing, in the form of its cache), for `session.sequence`.
   *
   * @throws NotConnectedError
   */
  encryptState(): Uint8Array[] {
    const client = this.#connected();
    const { state = [] } = client.manifest;
    return client.encrypt(
      state.flatMap(({ ciphertexts }) => Array.from({ length: ciphertexts }, () => new Float64Array(client.parameters.slots))),
    );
  }

  /**
   * Encrypts the next token of a text that a language model's server reads token by token, for `sequence.run`.
   *
   * @param position of the token, 0 for the first: `sequence.length`
   * @throws NotConnectedError, InputError for what is no token or another model
   */
  encryptToken(token: number, position: number): Uint8Array[] {
    const client = this.#connected();
    const { config } = this;
    const names = client.manifest.inputs.map(({ name }) => name);
    if (config.task !== 'text-generation' || !names.includes('token')) {
      throw new InputError(`The server of ${this.name} takes whole inputs: use encrypt().`, { model: this.name });
    }
    const values = new Map<string, ArrayLike<number>>([
      ['token', this.embedToken(token)],
      ['share', [tokenShare(config, position)]],
    ]);
    const { slots } = client.parameters;
    return client.encrypt(client.manifest.inputs.flatMap((layout) => pack(values.get(layout.name) ?? [], layout, slots)));
  }

  /** Re-encrypts the masked ciphertexts that the server sent between two segments. @throws NotConnectedError, HeError WIRE_* */
  refresh(ciphertexts: readonly Uint8Array[]): Uint8Array[] {
    return this.#connected().refresh(ciphertexts);
  }

  /** The logits. Never send them back: CKKS is not secure against who sees decryptions. @throws NotConnectedError, HeError WIRE_* */
  decrypt(ciphertexts: readonly Uint8Array[]): Float32Array {
    const client = this.#connected();
    const [output] = client.manifest.outputs;
    if (output === undefined) throw new NotConnectedError('The manifest names no output: fetch it again.', {});
    return unpack(client.decrypt(ciphertexts), output, client.parameters.slots);
  }

  /** The `top_k` labels with the highest logits, highest first, with the softmax of their logits as score. Default 1. */
  classify(logits: ArrayLike<number>, top_k = 1): Classification[] {
    return rankLabels(logits, this.labels, top_k);
  }

  /** Forgets the keys, if there are any. */
  dispose(): void {
    this.#keys?.dispose();
    this.#keys = undefined;
  }

  #connected(): Client {
    if (this.#keys !== undefined) return this.#keys;
    throw new NotConnectedError(`There are no keys yet for ${this.name}: await client.connect(manifest of the server) first.`, {});
  }
}
