import { beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '../../src/client/index.js';
import { createEngineRuntime } from '../../src/engines/runtime.js';
import { compileGraph, manifestOf, type Program, parseProgram, serializeProgram } from '../../src/index.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { createServer } from '../../src/server/index.js';
import { traceAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

let program: Program;
beforeAll(async () => {
  program = compileGraph(await traceAttention({ tokens: 2, heads: 2, headDim: 2, labels: 3 }), { polyModulusDegrees: [8192] });
});

describe('a program whose values are too large for its masks', () => {
  const thin = () => ({ ...program, parameters: { ...program.parameters, valueBits: 12 } });
  const refused = expect.objectContaining({ code: 'PARAMETERS_MASK_SLACK', message: expect.stringMatching(/valueBits/) });

  test.each(['mock', 'seal'] as const)('gets no %s server', async (engine) => {
    await expect(createServer(thin(), { engine })).rejects.toEqual(refused);
  });

  test('is not read from a file', () => {
    expect(() => parseProgram(serializeProgram(thin()))).toThrow(refused);
  });

  test('is accepted where it has no refreshes, as nothing is masked', async () => {
    const whole = { ...thin(), segments: [{ instructions: [], refreshes: [] }], outputs: [] };
    expect(parseProgram(serializeProgram(whole)).segments.length).toBe(1);
  });
});

test('all ciphertexts that are due at a segment border go in one round', async () => {
  const pair = await openPair(program, 'mock');
  const rounds: number[] = [];
  await pair.infer(randomValues(8, 5), {
    refresh: async (ciphertexts, { segment }) => {
      expect(segment).toBe(rounds.length);
      rounds.push(ciphertexts.length);
      return pair.client.refresh(ciphertexts);
    },
  });
  expect(rounds).toEqual(program.segments.slice(0, -1).map(({ refreshes }) => refreshes.length));
  expect(Math.max(...rounds)).toBeGreaterThan(1);
  pair.dispose();
});

test('with the parameters that compile chooses by itself, a refreshed value of any admitted size keeps 20 bits', async () => {
  const parameters = createParameters(program.parameters);
  const client = await createClient(manifestOf(program), { engine: 'seal' });
  const runtime = await createEngineRuntime('seal', parameters, program.galoisSteps);
  const engine = runtime.openKeyless();
  const seed = { serverKey: new Uint8Array(32).fill(3), session: 's', segment: 0, index: 0 };
  const values = randomValues(parameters.slots, 6, 2 ** parameters.valueBits);
  const low = engine.modSwitchTo(engine.load(client.encrypt([values])[0]!), parameters.refreshLevel);
  const [before] = client.decrypt([engine.save(low)]);
  const raised = engine.load(client.refresh([engine.save(engine.mask(low, seed))])[0]!);
  const after = engine.modSwitchTo(engine.unmask(raised, seed), parameters.refreshLevel);
  expect(bitsOfAgreement(client.decrypt([engine.save(after)])[0]!, before!)).toBeGreaterThan(20);
  runtime.dispose();
  client.dispose();
});
