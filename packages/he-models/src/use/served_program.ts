import { enableProdMode } from '@tensorflow/tfjs-core';
import { type CompileOptions, compile, type Program } from 'tfjs-he-backend/compiler';
import { type LoadOptions, type ModelFiles, openModel } from '../hub/model_files.js';
import type { HeMetadata } from '../pretrained/config.js';
import { SERVER_BUNDLES } from '../pretrained/server_bundles.js';
import { loadPolynomialModel } from '../pretrained/server_model.js';
import { stepModel } from './step_model.js';

export interface ServedProgramOptions extends LoadOptions {
  /** Instead of the model's own: `he.json` says which. */
  readonly compile?: CompileOptions;
  /** Whose time is predicted where programs compete. Default `simd`. */
  readonly engine?: CompileOptions['engine'];
  /**
   * Of language models: read one token at a time, with keys and values of those before it kept encrypted at the server (`session.sequence`). False: a run takes the whole
   * context. Default true; models with layers that have no such form take the whole context all the same.
   */
  readonly cache?: boolean;
}

/**
 * What {@link HeModelServer} runs: the model compiled with the parameters of its `he.json`, a language model as the program of one token.
 *
 * @param model a model of this package, a folder (Node), a URL, or `owner/name` at `env.remoteHost`
 * @throws UnknownModelError, ModelUnavailableError, AssetError, UnknownTaskError (no polynomial yet), HeError (COMPILE_FAILED, ABORTED), or the reason of an aborted signal
 */
export async function programFromPretrained(model: string | URL, options: ServedProgramOptions = {}): Promise<Program> {
  return (await compileServed(await openModel(model, SERVER_BUNDLES, options), options)).program;
}

/** The same of files that are open, with what `he.json` says. */
export async function compileServed(
  files: ModelFiles,
  { compile: own, engine = 'simd', cache, signal, progress_callback: report }: ServedProgramOptions,
): Promise<{ readonly program: Program; readonly he: HeMetadata }> {
  enableProdMode(); // tfjs would advertise its native package on the console
  const onProgress = (loaded: number, total: number): void => report?.({ status: 'compile', name: files.name, loaded, total });
  onProgress(0, 1); // recording a large model takes seconds, and how many parameter sets there are is known only then
  const { model: plain, he } = await loadPolynomialModel(files);
  const step = cache === false ? undefined : stepModel(files.config, plain);
  try {
    const program = await compile(step?.model ?? plain, {
      ...he.parameters,
      ...(step === undefined
        ? {}
        : { ...he.stepParameters, state: Object.fromEntries(step.states.map(({ name, output }) => [name, output])) }),
      engine,
      ...own,
      onProgress,
      ...(signal === undefined ? {} : { signal }),
    });
    return { program, he };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    plain.dispose();
    step?.model.dispose();
  }
}
