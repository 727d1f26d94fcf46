import type { Classifier } from '../client/classifier.js';
import { type Answer, type ClientEvent, openEncryptedSession } from '../client/encrypted_session.js';
import { maxAbsError, topLabels } from '../client/ranking.js';
import type { EngineName } from '../protocol/engine.js';
import type { Report, RunReport } from './report.js';

export interface AskRequest {
  readonly classifier: Classifier;
  readonly question: string;
  readonly url: URL;
  /** undefined: any that encrypts. */
  readonly engine: EngineName | undefined;
  readonly repeat: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ClientEvent) => void;
  /** Time spent before, on starting a server. */
  readonly serverMs: number;
}

const TOP = 3;

/** Asks an encrypted question once or several times with one set of keys, and the plain model for comparison. */
export async function ask(request: AskRequest): Promise<Report> {
  const { classifier, question, url, engine, repeat, signal, onEvent, serverMs } = request;
  const values = classifier.embed(question);
  const session = await openEncryptedSession({ url, model: classifier.name, engine, signal, onEvent });
  try {
    const first = await session.ask(values);
    const answers = [first];
    while (answers.length < repeat) answers.push(await session.ask(values));
    onEvent({ type: 'phase', name: 'running the polynomial model in the clear' });
    const plain = await classifier.plainLogits(values);

    const setupMs = { server: serverMs, keys: session.setupMs.keys, upload: session.setupMs.upload };
    const setup = setupMs.server + setupMs.keys + setupMs.upload;
    const runs = answers.map((answer, i) => runReport(answer, plain, i === 0 ? setup : 0));
    const [cold = runReport(first, plain, setup)] = runs;
    return {
      model: classifier.name,
      input: question,
      encrypted: topLabels(first.logits, classifier.labels, TOP),
      plain: topLabels(plain, classifier.labels, TOP),
      ...cold,
      params: session.params,
      engine: session.engine,
      threads: session.threads,
      evaluationKeyBytes: session.evaluationKeyBytes,
      setupMs,
      runs,
    };
  } finally {
    await session.close();
  }
}

function runReport(answer: Answer, plain: Float32Array, setup: number): RunReport {
  const { logits, refreshes, uploadBytes, downloadBytes, latencyMs, layers } = answer;
  return {
    maxAbsError: maxAbsError(logits, plain),
    refreshes,
    uploadBytes,
    downloadBytes,
    latencyMs: { setup, ...latencyMs, total: setup + latencyMs.total },
    layers,
  };
}
