import { basename, dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readIfPresent } from '../data/banking77.js';
import { CheckpointError } from '../errors.js';
import { writeWhole } from '../write_together.js';
import type { Moments } from './adamw.js';
import type { Variant } from './recipe.js';

/** What a run needs to continue as if it had not been interrupted. */
export interface TrainingState {
  /** Epochs completed. */
  readonly epoch: number;
  /** Optimiser steps completed. */
  readonly step: number;
  /** State of the generator of shuffles and dropout. */
  readonly random: readonly number[];
  readonly parameters: readonly ParameterState[];
}

export interface ParameterState extends Moments {
  readonly name: string;
  readonly values: Float32Array;
}

/** What a checkpoint must agree on with the run that resumes from it. */
export interface RunIdentity {
  /** What the weights depend on. */
  readonly recipe: object;
  readonly variant: Variant | 'embedding';
  /** SHA-256 of the training data. */
  readonly data: string;
}

/** Identity of a run; the conversion comes after training and may change. */
export function identityOf<R extends { readonly conversion: unknown }>(
  { conversion: _, ...recipe }: R,
  variant: RunIdentity['variant'],
  data: string,
): RunIdentity {
  return { recipe, variant, data };
}

const FORMAT = 'he-models-checkpoint-1';

/** Writes a checkpoint as JSON, floats as base64 of little-endian float32; the file is replaced in one step. @throws OutputError */
export async function writeCheckpoint(path: string, identity: RunIdentity, state: TrainingState): Promise<void> {
  const parameters = state.parameters.map(({ name, values, first, second }) => ({
    name,
    values: encodeFloats(values),
    first: encodeFloats(first),
    second: encodeFloats(second),
  }));
  await writeWhole(dirname(path), basename(path), JSON.stringify({ format: FORMAT, identity, state: { ...state, parameters } }));
}

/**
 * Reads a checkpoint written by {@link writeCheckpoint}; undefined where there is none.
 *
 * @throws CheckpointError if it is unreadable or was written with another recipe, variant or data
 */
export async function readCheckpoint(path: string, identity: RunIdentity): Promise<TrainingState | undefined> {
  const text = await readIfPresent(path);
  if (text === undefined) return undefined;
  const stored = parseCheckpoint(path, text);
  if (!isDeepStrictEqual(stored.identity, JSON.parse(JSON.stringify(identity)))) {
    throw new CheckpointError(
      `The checkpoint ${path} is from a run with other settings or data: repeat those, choose another --checkpoints folder, or pass --fresh.`,
      { path },
    );
  }
  return stored.state;
}

function parseCheckpoint(path: string, text: string): { readonly identity: unknown; readonly state: TrainingState } {
  try {
    const { format, identity, state } = JSON.parse(text);
    if (format !== FORMAT) throw new Error(`its format is ${String(format)}`);
    const parameters: ParameterState[] = state.parameters.map((stored: Record<'name' | 'values' | 'first' | 'second', string>) => ({
      name: stored.name,
      values: decodeFloats(stored.values),
      first: decodeFloats(stored.first),
      second: decodeFloats(stored.second),
    }));
    return { identity, state: { epoch: state.epoch, step: state.step, random: state.random, parameters } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CheckpointError(`Cannot read the checkpoint ${path} (${reason}): delete it or pass --fresh.`, { path });
  }
}

function encodeFloats(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

function decodeFloats(text: string): Float32Array {
  // Copied, as a Buffer's memory need not be aligned for floats.
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}
