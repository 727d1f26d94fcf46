import { join } from 'node:path';
import { DataError } from '../errors.js';
import { readGzip } from './gzip.js';
import { type ArraySplit, type LabelledArrays, selectArrays } from './mnist.js';

/** AAMI classes: normal, supraventricular ectopic, ventricular ectopic, fusion, unknown or paced. */
export const HEARTBEATS: readonly string[] = ['N', 'S', 'V', 'F', 'Q'];

/** Samples of a beat at 180 Hz; the R peak is at sample 48. */
export const BEAT_SAMPLES = 128;

/** Every fourth record, in ascending order, is held out for development, from the first on. */
const DEV_EVERY = 4;

/**
 * Beats of the MIT-BIH Arrhythmia Database from the folder `ecg` of `directory`, or from `directory` itself: `beats.x.int16le.gz` (`[n, 128]`,
 * ADC units, baseline removed), `beats.y.uint8.gz` (class index in {@link HEARTBEATS}) and `beats.record.uint16le.gz`. The parts are split by
 * record, so that no patient is in both: every fourth record is held out.
 *
 * @throws DataError where a file is missing or malformed
 */
export async function ecgSplit(directory: string): Promise<ArraySplit> {
  const folders = [join(directory, 'ecg'), directory];
  const samples = await readGzip(folders, 'beats.x.int16le.gz');
  const classes = await readGzip(folders, 'beats.y.uint8.gz');
  const records = await readGzip(folders, 'beats.record.uint16le.gz');
  const count = classes.length;
  if (samples.length !== 2 * BEAT_SAMPLES * count || records.length !== 2 * count || classes.some((label) => label >= HEARTBEATS.length)) {
    throw new DataError(`The beats need ${BEAT_SAMPLES} samples, a class from 0 to 4 and a record each: make the files again.`, {
      directory,
    });
  }
  const sampleView = new DataView(samples.buffer, samples.byteOffset);
  const recordView = new DataView(records.buffer, records.byteOffset);
  const all: LabelledArrays = {
    values: Int16Array.from({ length: count * BEAT_SAMPLES }, (_, index) => sampleView.getInt16(2 * index, true)),
    length: BEAT_SAMPLES,
    labels: Int32Array.from(classes),
    count,
  };
  const indices = [...classes.keys()];
  const recordOf = (index: number): number => recordView.getUint16(2 * index, true);
  const patients = [...new Set(indices.map(recordOf))].sort((a, b) => a - b);
  const held = new Set(patients.filter((_, position) => position % DEV_EVERY === 0));
  const isHeld = (index: number): boolean => held.has(recordOf(index));
  const dev = indices.filter(isHeld);
  if (patients.length < 2) throw new DataError('The beats need at least two records, to hold one out.', { directory });
  return {
    train: selectArrays(
      all,
      indices.filter((index) => !isHeld(index)),
    ),
    dev: selectArrays(all, dev),
    classes: HEARTBEATS,
  };
}
