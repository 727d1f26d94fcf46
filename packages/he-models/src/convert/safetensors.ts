import { AssetError } from '../errors.js';

/** Element types that weights are read from. */
export type WeightType = 'F32' | 'F16' | 'BF16';

/** Bytes of an element of every type that the format knows: others may lie in a file, they are only not weights. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** One tensor of a file. */
export interface SafetensorsEntry {
  readonly name: string;
  /** As the file says; {@link readFloats} takes a {@link WeightType}. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Its bytes in the file, row-major, little-endian. */
  readonly bytes: Uint8Array;
}

const LENGTH_BYTES = 8;
/** Also the limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_DIMENSIONS = 8;

/**
 * Reads a file of the safetensors format (github.com/huggingface/safetensors): the header's length as uint64, the header as JSON (name to dtype, shape
 * and offsets), then the tensors. Every tensor must lie inside of the file, have as many bytes as its shape asks for, and share none with another; the
 * tensors must cover the file.
 *
 * @param file name for messages
 * @throws AssetError naming the tensor, where it is about one
 */
export function parseSafetensors(bytes: Uint8Array, file: string): ReadonlyMap<string, SafetensorsEntry> {
  const { header, start } = readHeader(bytes, file);
  const placed = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => placeOf(name, value, bytes.length - start, file))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const tensor of placed) {
    if (tensor.begin < end) refuse(file, `tensor ${tensor.name} begins at byte ${tensor.begin}, inside of the one before it`, tensor.name);
    if (tensor.begin > end) refuse(file, `${tensor.begin - end} bytes before tensor ${tensor.name} belong to none`, tensor.name);
    end = tensor.end;
  }
  if (start + end !== bytes.length) refuse(file, `${bytes.length - start - end} bytes follow its tensors`);
  return new Map(
    placed.map(({ name, dtype, shape, begin, end: until }) => [
      name,
      { name, dtype, shape, bytes: bytes.subarray(start + begin, start + until) },
    ]),
  );
}

interface Place {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readHeader(bytes: Uint8Array, file: string): { readonly header: Readonly<Record<string, unknown>>; readonly start: number } {
  if (bytes.length < LENGTH_BYTES) refuse(file, 'it is shorter than the length of its header');
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) refuse(file, `its header says it has ${length} bytes, and ${MAX_HEADER_BYTES} are the limit`);
  const start = LENGTH_BYTES + Number(length);
  if (start > bytes.length) refuse(file, `it ends inside of its header of ${length} bytes`);
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, start)));
    if (isRecord(header)) return { header, start };
  } catch {
    // refused below
  }
  return refuse(file, 'its header is no JSON object');
}

function placeOf(name: string, value: unknown, available: number, file: string): Place {
  const fail = (what: string): never => refuse(file, `tensor ${name} ${what}`, name);
  if (!isRecord(value)) return fail('has no description');
  const { dtype, shape, data_offsets: offsets } = value;
  const size = typeof dtype === 'string' && Object.hasOwn(ELEMENT_BYTES, dtype) ? ELEMENT_BYTES[dtype] : undefined;
  if (typeof dtype !== 'string' || size === undefined) return fail(`is of the unknown type ${String(dtype)}`);
  if (!isSizes(shape) || shape.length > MAX_DIMENSIONS) return fail('has no shape');
  if (!isSizes(offsets) || offsets.length !== 2) return fail('has no offsets');
  const [begin = 0, end = 0] = offsets;
  if (begin > end) fail(`ends at byte ${end}, before it begins at ${begin}`);
  if (end > available) fail(`ends at byte ${end} of ${available}: the file is cut off`);
  const expected = shape.reduce((product, dimension) => product * dimension, size);
  if (expected !== end - begin) fail(`has ${end - begin} bytes where ${dtype} of [${shape.join(', ')}] takes ${expected}`);
  return { name, dtype, shape, begin, end };
}

/** Values of a tensor. @throws AssetError naming it, for another type than {@link WeightType} or values that are not finite */
export function readFloats({ name, dtype, bytes }: SafetensorsEntry, file: string): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = floatsOf(dtype, view);
  if (values === undefined) {
    return refuse(file, `tensor ${name} is of type ${dtype}, and weights are read from F32, F16 and BF16: save it as one of these`, name);
  }
  if (!values.every(Number.isFinite)) refuse(file, `tensor ${name} holds values that are not finite`, name);
  return values;
}

function floatsOf(dtype: string, view: DataView): Float32Array | undefined {
  if (dtype === 'F32') return converted(view, 4, (at) => view.getFloat32(at, true));
  if (dtype === 'F16') return converted(view, 2, (at) => halfFloat(view.getUint16(at, true)));
  if (dtype !== 'BF16') return undefined;
  // The upper half of a float32.
  const word = new DataView(new ArrayBuffer(4));
  return converted(view, 2, (at) => {
    word.setUint16(0, view.getUint16(at, true));
    return word.getFloat32(0);
  });
}

function converted(view: DataView, size: number, read: (at: number) => number): Float32Array {
  const values = new Float32Array(view.byteLength / size);
  for (let k = 0; k < values.length; k += 1) values[k] = read(size * k);
  return values;
}

/** IEEE 754 binary16: a sign, five bits of exponent, ten of mantissa. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function refuse(file: string, what: string, tensor?: string): never {
  throw new AssetError(`${file} is no sound safetensors file: ${what}.`, tensor === undefined ? { file } : { file, tensor });
}
