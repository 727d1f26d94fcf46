/** A tensor that a test writes. */
export interface WrittenTensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

export type WrittenTensors = Readonly<Record<string, WrittenTensor>>;
export type WrittenType = 'F32' | 'F16' | 'BF16';

/** A file from a header and what follows it. */
export function rawSafetensors(header: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** A safetensors file of these tensors, one after the other. */
export function safetensorsBytes(tensors: WrittenTensors, dtype: WrittenType = 'F32'): Uint8Array {
  const parts: Uint8Array[] = [];
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const bytes = elements(values, dtype);
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    parts.push(bytes);
  }
  return rawSafetensors(header, Uint8Array.from(parts.flatMap((part) => [...part])));
}

function elements(values: ArrayLike<number>, dtype: WrittenType): Uint8Array {
  const size = dtype === 'F32' ? 4 : 2;
  const view = new DataView(new ArrayBuffer(size * values.length));
  for (let k = 0; k < values.length; k += 1) {
    const value = values[k] ?? 0;
    if (dtype === 'F32') view.setFloat32(4 * k, value, true);
    else view.setUint16(2 * k, dtype === 'F16' ? halfBits(value) : bfloatBits(value), true);
  }
  return new Uint8Array(view.buffer);
}

function bfloatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16;
}

/** Bits of the binary16 number at or next below the magnitude of `value`, found by bisection over all of them. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  let [low, high] = [0, 0x7bff];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (halfValue(middle) <= Math.abs(value)) low = middle;
    else high = middle - 1;
  }
  return sign | low;
}

/** Value of a finite, non-negative binary16 number, as IEEE 754 defines it. */
export function halfValue(bits: number): number {
  const [exponent, mantissa] = [bits >> 10, bits & 1023];
  return exponent === 0 ? mantissa / 2 ** 24 : (1024 + mantissa) * 2 ** (exponent - 25);
}
