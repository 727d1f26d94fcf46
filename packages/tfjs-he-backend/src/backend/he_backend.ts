import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { type backend_util, DataStorage, type DataType, engine, KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import type { TensorNode } from '../graph/node.js';
import { Recorder } from '../graph/recorder.js';

export const BACKEND_NAME = 'he';

type DataId = TensorInfo['dataId'];

/** Computes and decrypts a node; whoever holds a client key can provide one. Nothing in this module's reach can. */
export type EncryptedReader = (node: TensorNode) => Promise<Float32Array>;

/**
 * The deferred backend behind the name `he`. Plaintext tensors live in an inner CPU backend and are computed at once; encrypted tensors are
 * nodes of a tensor graph, and kernels on them only record. Reading an encrypted tensor throws unless a reader was attached.
 */
export class HeBackend extends KernelBackend {
  readonly plain = new MathBackendCPU();
  private readonly nodes = new DataStorage<{ node: TensorNode; references: number }>(this, engine());
  private traceRecorder: Recorder | null = null;
  private readonly eagerRecorder = new Recorder();
  private reader: EncryptedReader | null = null;

  /** Where kernels record: the graph of the trace that is running, else that of eager tensors. */
  get recorder(): Recorder {
    return this.traceRecorder ?? this.eagerRecorder;
  }

  /** Outside of a trace, what is recorded is labelled with the kernel; inside, the tracer does it with the layer. */
  announce(kernelName: string): void {
    if (this.traceRecorder === null) this.eagerRecorder.label = kernelName;
  }

  /** Lets `data()` of encrypted tensors go through `reader` until the function returned is called. */
  attachReader(reader: EncryptedReader): () => void {
    this.reader = reader;
    return () => {
      if (this.reader === reader) this.reader = null;
    };
  }

  /** Runs `body` with a fresh recorder. */
  trace<T>(body: (recorder: Recorder) => T): T {
    const before = this.traceRecorder;
    const recorder = new Recorder();
    this.traceRecorder = recorder;
    try {
      return body(recorder);
    } finally {
      this.traceRecorder = before;
    }
  }

  isEncrypted(info: TensorInfo): boolean {
    return this.nodes.has(info.dataId);
  }

  nodeOf(info: TensorInfo): TensorNode {
    return this.nodes.get(info.dataId).node;
  }

  /** A tensor handle for a node. */
  wrap(node: TensorNode, shape: readonly number[] = node.shape): TensorInfo {
    const dataId = {};
    this.nodes.set(dataId, { node, references: 1 });
    return { dataId, shape: [...shape], dtype: 'float32' };
  }

  /** Values of a plaintext tensor in row-major order. */
  plainValues(info: TensorInfo): Float64Array {
    const values = this.plain.readSync(info.dataId);
    if (values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array) return Float64Array.from(values);
    throw new HeError('GRAPH_INVALID', `a ${info.dtype} tensor cannot meet an encrypted one`, {
      hint: 'Use a float32, int32 or bool tensor.',
    });
  }

  override write(values: backend_util.BackendValues, shape: number[], dtype: DataType): DataId {
    return this.plain.write(values, shape, dtype);
  }

  override move(dataId: DataId, values: backend_util.BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    this.plain.move(dataId, values, shape, dtype, refCount);
  }

  /** @throws HeError READ_ENCRYPTED when the tensor is encrypted and no reader is attached. */
  override async read(dataId: DataId): Promise<backend_util.BackendValues> {
    if (this.reader !== null && this.nodes.has(dataId)) return this.reader(this.nodes.get(dataId).node);
    return this.readSync(dataId);
  }

  override readSync(dataId: DataId): backend_util.BackendValues {
    if (this.nodes.has(dataId)) {
      throw new HeError('READ_ENCRYPTED', 'an encrypted tensor cannot be read', {
        op: 'read',
        hint: "Run the compiled program and decrypt its output with the client; decrypt of 'tfjs-he-backend' does both for eager tensors.",
      });
    }
    return this.plain.readSync(dataId);
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.nodes.has(dataId)) return this.plain.disposeData(dataId, force);
    const entry = this.nodes.get(dataId);
    entry.references--;
    if (!force && entry.references > 0) return false;
    this.nodes.delete(dataId);
    return true;
  }

  override incRef(dataId: DataId): void {
    if (this.nodes.has(dataId)) this.nodes.get(dataId).references++;
    else this.plain.incRef(dataId);
  }

  override refCount(dataId: DataId): number {
    return this.nodes.has(dataId) ? this.nodes.get(dataId).references : this.plain.refCount(dataId);
  }

  override numDataIds(): number {
    return this.nodes.numDataIds() + this.plain.numDataIds();
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: true, reasons: ['Encrypted tensors are graph nodes until a program runs.'] };
  }

  override async time(body: () => void): Promise<{ kernelMs: number }> {
    const start = performance.now();
    body();
    return { kernelMs: performance.now() - start };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return true;
  }

  override dispose(): void {}
}
