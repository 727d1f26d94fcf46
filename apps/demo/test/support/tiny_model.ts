import '@tensorflow/tfjs-backend-cpu';
import { enableProdMode, matMul, square, type Tensor, tensor, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { compileGraph, type Program, traceFunction } from 'tfjs-he-backend';
import { createServer, type Server, type ServerEngine } from 'tfjs-he-backend/server';
import type { Classifier } from '../../src/client/classifier.js';

enableProdMode();

/** A made-up classifier of texts into three labels that needs one refresh and two rotations: encrypted in a fraction of a second. */
export const tinyClassifier: Classifier = {
  name: 'tiny',
  labels: ['red', 'green', 'blue'],
  embed: (text) => Float32Array.from({ length: 4 }, (_, i) => ((text.charCodeAt(i % text.length) % 7) - 3) / 3),
  plainLogits: async (values) => tidy(() => Float32Array.from(tinyModel(tensor(values, [1, 4])).dataSync())),
};

function tinyModel(x: Tensor): Tensor {
  const hidden = matMul(x, tensor2d([0.5, -0.25, 0.1, 0.3, 0.2, 0.2, -0.4, 0.6], [4, 2]));
  return matMul(square(square(square(hidden))), tensor2d([1.5, -0.25, 0.75, 0.1, 1.3, -2], [2, 3]));
}

let compiled: Promise<Program> | undefined;

/** Compiled once per test file, with parameters of 128-bit security. */
export function tinyProgram(): Promise<Program> {
  compiled ??= traceFunction((x) => tinyModel(Array.isArray(x) ? x[0]! : x), [{ name: 'input', shape: [1, 4] }]).then((graph) =>
    compileGraph(graph, { polyModulusDegrees: [8192], precisionBits: 10, valueBits: 3 }),
  );
  return compiled;
}

export async function tinyServer(engine: ServerEngine = 'mock'): Promise<Server> {
  return createServer(await tinyProgram(), { engine });
}
