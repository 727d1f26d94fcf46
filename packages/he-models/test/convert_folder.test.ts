import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { convert } from '../src/cli/convert.js';
import { AssetError, ModelUnavailableError, UnknownModelError, UsageError } from '../src/errors.js';
import { fromPretrained, measureGeneration } from '../src/index.js';
import { loadClearModel } from '../src/use/clear_model.js';
import { HeModelClient } from '../src/use/he_model_client.js';
import { openLocalPair } from '../src/use/local_pair.js';
import { pipeline } from '../src/use/pipeline.js';
import { type TinyCheckpoint, tinyBert, tinyNeox, writeCheckpoint } from './tiny_checkpoints.js';
import { bertLogits, neoxLogits } from './transformer_reference.js';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'he-models-convert-'));
});
afterAll(() => rm(root, { recursive: true }));

async function printed(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const progress = { update: () => {}, log: () => {}, clear: () => {} };
  const { signal } = new AbortController();
  await convert.run({ args, packageRoot: root, cwd: root, print: (line) => void lines.push(line), progress, signal });
  return lines;
}

const json = async (...args: string[]) => JSON.parse((await printed(...args, '--json'))[0] ?? '');

/** What the converted folder makes of a text, and its tokens. */
async function logitsOf(folder: string, text: string) {
  const client = await HeModelClient.from_pretrained(join(root, folder));
  const { logits, dispose } = await loadClearModel(join(root, folder));
  const { ids, tokens } = client.tokenize(text, { truncate: true });
  const values = [...logits(client.embed(text, { truncate: true }))];
  dispose();
  return { ids, tokens, values };
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance = 2e-5): void {
  const scale = Math.max(...expected.map(Math.abs));
  expect(actual.length).toBeGreaterThanOrEqual(expected.length);
  expect(Math.max(...expected.map((value, k) => Math.abs(value - actual[k]!)))).toBeLessThan(tolerance * scale);
}

const POWER = ['--swap-softmax', '2', '--epsilon', '0.3', '--norm-epsilon', '0.2'];
const AS_POWER = { normaliser: { p: 2, epsilon: 0.3 }, normEpsilon: 0.2 } as const;

describe('a BERT checkpoint', () => {
  const checkpoint = tinyBert();
  beforeAll(() => writeCheckpoint(join(root, 'bert'), checkpoint));

  test('has the logits of an independent forward pass, padded or not', async () => {
    await printed('bert', '--keep-softmax', '--tokens', '7', '--out', 'bert-softmax');
    const full = await logitsOf('bert-softmax', 'The cats sat on');
    expect(full.tokens).toEqual(['[CLS]', 'the', 'cat', '##s', 'sat', 'on', '[SEP]']);
    expectClose(full.values, bertLogits(checkpoint, full.ids));
    const short = await logitsOf('bert-softmax', 'a cat');
    expect(short.ids).toEqual([2, 9, 5, 3]);
    expectClose(short.values, bertLogits(checkpoint, short.ids));
  });

  test('with PowerSoftmax has those of the pass with PowerSoftmax and a linear pooler', async () => {
    await printed('bert', ...POWER, '--tokens', '6', '--out', 'bert-power');
    const { ids, values } = await logitsOf('bert-power', 'the cat sat on');
    expect(ids).toHaveLength(6);
    expectClose(values, bertLogits(checkpoint, ids, { ...AS_POWER, poolerTanh: false }));
  });

  test('with PowerSoftmax gives padding no weight: a padded text has the logits of its tokens alone', async () => {
    await printed('bert', ...POWER, '--tokens', '9', '--out', 'bert-padded');
    for (const text of ['a cat', 'the cat sat on a']) {
      const { ids, values } = await logitsOf('bert-padded', text);
      const normaliser = { ...AS_POWER.normaliser, length: 9 };
      expectClose(values, bertLogits(checkpoint, ids, { ...AS_POWER, normaliser, poolerTanh: false }));
    }
  });

  test('keeps the tokens that frame a text when it cuts one off', async () => {
    await printed('bert', '--keep-softmax', '--tokens', '5', '--out', 'bert-short');
    expect((await logitsOf('bert-short', 'the cat sat on a cat')).tokens).toEqual(['[CLS]', 'the', 'cat', 'sat', '[SEP]']);
  });

  test('is classified by pipeline in the clear, with the labels of the checkpoint', async () => {
    await printed('bert', '--out', 'bert-clear', '--tokens', '6');
    const classify = await pipeline('text-classification', join(root, 'bert-clear'), { fhe: 'disable' });
    expect(classify.labels).toEqual(['bad', 'good', 'odd']);
    expect(await classify('the cat', { top_k: 3 })).toHaveLength(3);
    await expect(classify('')).rejects.toThrow('empty');
    await expect(classify('ночь')).rejects.toThrow('knows no word');
    classify.dispose();
  });

  test('keeps the case where tokenizer_config.json says so', async () => {
    await writeCheckpoint(join(root, 'cased'), {
      ...checkpoint,
      tokenizer: { ...checkpoint.tokenizer, 'tokenizer_config.json': '{"do_lower_case": false}' },
    });
    await printed('cased', '--keep-softmax', '--out', 'bert-cased');
    expect((await logitsOf('bert-cased', 'Mat the')).tokens).toEqual(['[CLS]', 'Mat', 'the', '[SEP]']);
  });

  test('gets a new classifier for the labels that are named', async () => {
    const masked = tinyBert('bert', { architectures: ['BertForMaskedLM'] });
    await writeCheckpoint(join(root, 'masked'), masked);
    await expect(printed('masked', '--out', 'x')).rejects.toThrow('--labels');
    await printed('masked', '--labels', 'yes, no', '--out', 'labelled', '--tokens', '6');
    expect(JSON.parse(await readFile(join(root, 'labelled', 'config.json'), 'utf8')).labels).toEqual(['yes', 'no']);
    expect((await logitsOf('labelled', 'the cat')).values).toHaveLength(2);
  });
});

describe('a RoBERTa checkpoint', () => {
  const checkpoint = tinyBert('roberta');
  beforeAll(() => writeCheckpoint(join(root, 'roberta'), checkpoint, { dtype: 'BF16', shards: 3 }));

  test('counts positions from after the padding, and has the logits of an independent forward pass', async () => {
    await printed('roberta', '--keep-softmax', '--out', 'roberta-softmax');
    const { ids, tokens, values } = await logitsOf('roberta-softmax', 'the cat');
    expect(tokens).toEqual(['<s>', 'the', 'Ġc', 'at', '</s>']);
    expectClose(values, bertLogits(checkpoint, ids));
    const most = await logitsOf('roberta-softmax', 'tttttttttttt');
    expect(most.ids).toHaveLength(10);
    expectClose(most.values, bertLogits(checkpoint, most.ids));
  });
});

describe.each([
  ['side by side', {}],
  ['one after the other, tied to the embedding', { use_parallel_residual: false, tie_word_embeddings: true }],
  ['with whole heads turned by another base', { rotary_pct: 1, rotary_emb_base: 500 }],
])('a GPT-NeoX checkpoint with attention and feed-forward network %s', (name, changes) => {
  const checkpoint = tinyNeox(changes);
  const folder = `neox ${name}`;
  beforeAll(() => writeCheckpoint(join(root, folder), checkpoint, { dtype: 'F16' }));

  test('has the logits of an independent forward pass', async () => {
    await printed(folder, '--keep-softmax', '--tokens', '8', '--out', `${folder} softmax`);
    const { ids, tokens, values } = await logitsOf(`${folder} softmax`, 'the cat the');
    expect(tokens).toEqual(['the', 'Ġc', 'at', 'Ġ', 'the']);
    expectClose(values, neoxLogits(checkpoint, ids).flat());
  });

  test('with PowerSoftmax has those of the pass with PowerSoftmax', async () => {
    await printed(folder, ...POWER, '--tokens', '8', '--out', `${folder} power`);
    const { ids, values } = await logitsOf(`${folder} power`, 'the cat');
    expectClose(values, neoxLogits(checkpoint, ids, AS_POWER).flat());
  });
});

describe('a GPT-NeoX checkpoint', () => {
  const checkpoint = tinyNeox();

  test('gives back the text of its tokens as it was written', async () => {
    await writeCheckpoint(join(root, 'neox-tokens'), checkpoint);
    await printed('neox-tokens', '--keep-softmax', '--out', 'neox-text');
    const client = await HeModelClient.from_pretrained(join(root, 'neox-text'));
    for (const text of ['the .', '  at', 'ethe the.']) expect(client.decode(client.tokenize(text).ids)).toBe(text);
  });

  test('continues a text as an independent forward pass does', async () => {
    await writeCheckpoint(join(root, 'neox'), checkpoint);
    await printed('neox', '--keep-softmax', '--tokens', '16', '--out', 'neox-softmax');
    const pieces = Object.keys(JSON.parse(checkpoint.tokenizer['vocab.json']!));
    const ids = [8, 9];
    const endToken = 0;
    for (let step = 0; step < 6; step += 1) {
      const last = neoxLogits(checkpoint, ids).at(-1)!;
      const next = last.indexOf(Math.max(...last));
      if (next === endToken) break;
      ids.push(next);
    }
    const expected = ids
      .map((id) => pieces[id] ?? '')
      .join('')
      .replaceAll('Ġ', ' ');
    const generate = await pipeline('text-generation', join(root, 'neox-softmax'), { fhe: 'disable' });
    expect((await generate('the c', { max_new_tokens: 6 }))[0]?.generated_text).toBe(expected);
    generate.dispose();
  });
});

describe('the report', () => {
  beforeAll(() => writeCheckpoint(join(root, 'reported'), tinyBert('bert', { hidden_act: 'gelu_new' })));

  test('says what was changed, what is no polynomial yet, and what comes next', async () => {
    const report = await json('reported', '--out', 'reported-power', '--tokens', '6');
    expect(report).toMatchObject({ architecture: 'BertForSequenceClassification', form: 'power', tokens: 6 });
    const changed = report.changed.join('\n');
    for (const mention of [
      'PowerSoftmax with p = 4',
      'segment',
      'padding',
      'tanh of the pooler',
      'variances',
      '5e-4',
      'at most 6 tokens instead of 10',
    ]) {
      expect(changed).toContain(mention);
    }
    const kinds = report.notPolynomial.map((each: { function: string }) => each.function);
    expect(kinds.sort()).toEqual(['gelu', 'gelu', 'reciprocal', 'reciprocal', 'rsqrt', 'rsqrt', 'rsqrt', 'rsqrt']);
    expect(report.needs).toEqual([expect.stringContaining('--from DIR'), expect.stringMatching(/withRangeLoss.*GELU.*--calibration/)]);
  });

  test('prints the same as lines, and keeps it in the folder and its card', async () => {
    const lines = (await printed('reported', '--out', 'reported-lines')).join('\n');
    expect(lines).toContain('block_1/attention/denominator: reciprocal, interval unknown until calibrated');
    expect(await readFile(join(root, 'reported-lines', 'report.json'), 'utf8')).toContain('withRangeLoss');
    expect(await readFile(join(root, 'reported-lines', 'README.md'), 'utf8')).toContain('- reciprocal: 2, each on an interval');
  });

  test('of the softmax form names softmax and tanh too', async () => {
    const { notPolynomial, changed, needs } = await json('reported', '--keep-softmax', '--out', 'reported-softmax');
    const functions = notPolynomial.map((each: { function: string }) => each.function);
    expect(functions.filter((name: string) => name === 'softmax')).toHaveLength(2);
    expect(functions).toContain('tanh');
    expect(changed.join('\n')).not.toContain('PowerSoftmax');
    expect(needs[0]).toContain('without --keep-softmax');
  });
});

describe('a converted model', () => {
  test('becomes a polynomial that pipeline runs encrypted, calibrated on texts, with padding masked', async () => {
    const checkpoint = tinyBert('bert', { hidden_size: 4, intermediate_size: 4, num_attention_heads: 1 });
    await writeCheckpoint(join(root, 'small'), checkpoint);
    await printed('small', '--out', 'small-power', '--tokens', '4', '--swap-softmax', '2', '--epsilon', '1', '--norm-epsilon', '1');
    await writeFile(join(root, 'texts.txt'), ['the cat', 'a cat', 'sat', 'on the', 'cats', '. a', 'the the', 'a', ''].join('\n'));
    const conversion = ['--bits', '7', '--margin', '1.3', '--value-bits', '7'];
    await printed('small-power', '--calibration', 'texts.txt', '--out', 'small-polynomial', ...conversion);
    const he = JSON.parse(await readFile(join(root, 'small-polynomial', 'he.json'), 'utf8'));
    expect(he).toMatchObject({ tokens: 4, parameters: { valueBits: 7 } });
    const pair = await openLocalPair(await HeModelClient.from_pretrained(join(root, 'small-polynomial')), join(root, 'small-polynomial'), {
      fhe: 'simulate',
      seed: 1,
    });
    for (const text of ['the cat', 'sat']) {
      const { ids, values } = await logitsOf('small-polynomial', text);
      const expected = bertLogits(checkpoint, ids, { normaliser: { p: 2, epsilon: 1, length: 4 }, normEpsilon: 1, poolerTanh: false });
      expectClose(values, expected, 0.02);
      expectClose([...(await pair.infer(text)).logits], values, 0.002);
    }
    pair.dispose();
  }, 60_000);

  test('interrupted while parameters are chosen, leaves no polynomial behind', async () => {
    await writeCheckpoint(join(root, 'stopped'), tinyBert('bert', { hidden_size: 4, intermediate_size: 4, num_attention_heads: 1 }));
    await printed('stopped', '--out', 'stopped-power', '--tokens', '4', ...POWER);
    await writeFile(join(root, 'some.txt'), 'the cat\nsat\n');
    const interrupt = new AbortController();
    const progress = { update: () => {}, log: () => interrupt.abort(new Error('enough')), clear: () => {} };
    const args = ['stopped-power', '--calibration', 'some.txt', '--out', 'stopped-polynomial'];
    const context = { args, packageRoot: root, cwd: root, print: () => {}, progress, signal: interrupt.signal };
    await expect(convert.run(context)).rejects.toThrow('enough');
    expect(await readdir(root)).not.toContain('stopped-polynomial');
  });

  test('of GPT-NeoX becomes a polynomial that reads texts encrypted as in the clear', async () => {
    const sizes = { num_hidden_layers: 1, hidden_size: 4, intermediate_size: 4, num_attention_heads: 1 };
    await writeCheckpoint(join(root, 'small-neox'), tinyNeox(sizes));
    await printed('small-neox', '--out', 'neox-one', '--tokens', '3', '--swap-softmax', '2', '--epsilon', '1', '--norm-epsilon', '1');
    await writeFile(join(root, 'lines.txt'), ['the cat', 'a cat', 'the the', 'ta', 'heat', 'c a'].join('\n'));
    await printed('neox-one', '--calibration', 'lines.txt', '--out', 'neox-polynomial', '--bits', '6', '--margin', '1.5');
    const report = await measureGeneration(join(root, 'neox-polynomial'), ['the cat'], { fhe: 'simulate', seed: 1, newTokens: 0 });
    expect(report).toMatchObject({ read: 3, sameTop1: 1 });
    expect(report.leastBits).toBeGreaterThan(6);
  }, 60_000);

  test('is loaded by fromPretrained, which says what it needs, and gives the same logits', async () => {
    await writeCheckpoint(join(root, 'loadable'), tinyBert());
    await printed('loadable', '--out', 'loadable-power', '--tokens', '6');
    const loaded = await fromPretrained(join(root, 'loadable-power'));
    expect(loaded.he.needs?.at(-1)).toContain('--calibration');
    const { values } = await logitsOf('loadable-power', 'a cat');
    const logits = tf.tidy(() => (loaded.model.predict(tf.tensor(loaded.embed('a cat'), [...loaded.inputShape])) as tf.Tensor).dataSync());
    expect([...logits]).toEqual(values);
    loaded.model.dispose();
  });

  test('of texts to be continued is loaded by fromPretrained too', async () => {
    await writeCheckpoint(join(root, 'loadable-neox'), tinyNeox());
    await printed('loadable-neox', '--out', 'loadable-neox-power', '--tokens', '6');
    const { model, tokenize, inputShape, config } = await fromPretrained(join(root, 'loadable-neox-power'));
    expect(config.task).toBe('text-generation');
    expect(tokenize('the cat').tokens).toEqual(['the', 'Ġc', 'at']);
    expect(model.inputs[0]!.shape.slice(1)).toEqual(inputShape.slice(1));
    model.dispose();
  });

  test('is not run encrypted before', async () => {
    await writeCheckpoint(join(root, 'unready'), tinyBert());
    await printed('unready', '--keep-softmax', '--out', 'unready-softmax');
    await expect(pipeline('text-classification', join(root, 'unready-softmax'), { fhe: 'simulate' })).rejects.toMatchObject({
      code: 'UNKNOWN_TASK',
      message: expect.stringContaining('is no polynomial yet'),
    });
  });
});

describe('convert refuses', () => {
  const write = async (folder: string, change: (checkpoint: TinyCheckpoint) => Partial<TinyCheckpoint>) => {
    const checkpoint = tinyBert();
    await writeCheckpoint(join(root, folder), { ...checkpoint, ...change(checkpoint) });
  };
  const configured = (changes: Readonly<Record<string, unknown>>) => (checkpoint: TinyCheckpoint) => ({
    config: { ...checkpoint.config, ...changes },
  });
  const without =
    (name: string) =>
    ({ tensors }: TinyCheckpoint) => ({
      tensors: Object.fromEntries(Object.entries(tensors).filter(([other]) => other !== name)),
    });
  const tokenizer = (files: Readonly<Record<string, string>>) => () => ({ tokenizer: files });

  test.each<[string, (checkpoint: TinyCheckpoint) => Partial<TinyCheckpoint>, new (...args: never[]) => Error, RegExp]>([
    ['an unknown architecture', configured({ architectures: ['T5Model'] }), UnknownModelError, /T5Model.*BertModel.*GPTNeoXForCausalLM/],
    ['an activation without a layer', configured({ hidden_act: 'relu' }), AssetError, /relu.*gelu_new/],
    ['relative positions', configured({ position_embedding_type: 'relative_key' }), AssetError, /relative_key/],
    ['heads that do not divide the features', configured({ num_attention_heads: 3 }), AssetError, /8 features.*3 heads/],
    ['a size that is no number', configured({ hidden_size: '8' }), AssetError, /hidden_size/],
    ['no layers', configured({ num_hidden_layers: 0 }), AssetError, /num_hidden_layers/],
    ['labels that are not counted from 0', configured({ id2label: { 1: 'a', 2: 'b' } }), AssetError, /id2label/],
    ['more layers than tensors', configured({ num_hidden_layers: 3 }), AssetError, /no tensor bert\.encoder\.layer\.2/],
    ['weights of other sizes', configured({ intermediate_size: 15 }), AssetError, /intermediate\.dense\.weight .*\[14, 8\].*\[15, 8\]/],
    ['a missing tensor', without('classifier.weight'), AssetError, /no tensor classifier\.weight/],
    ['no tokenizer', tokenizer({}), ModelUnavailableError, /vocab\.txt/],
    ['a vocabulary without frame', tokenizer({ 'vocab.txt': '[PAD]\n[UNK]\nthe\n' }), AssetError, /\[CLS\]/],
    [
      'a tokenizer of another kind',
      tokenizer({ 'tokenizer.json': '{"model":{"type":"Unigram","vocab":[]}}' }),
      AssetError,
      /Unigram.*WordPiece/,
    ],
    ['a tokenizer that is no JSON', tokenizer({ 'tokenizer.json': '{' }), AssetError, /tokenizer\.json/],
    [
      'more tokens than the embedding has',
      tokenizer({ 'vocab.txt': ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...'abcdefghij'].join('\n') }),
      AssetError,
      /12 rows/,
    ],
  ])('%s, and writes nothing', async (_, change, error, message) => {
    await write('refused', change);
    await expect(printed('refused', '--out', 'x')).rejects.toThrow(error);
    await expect(printed('refused', '--out', 'x')).rejects.toThrow(message);
    expect(await readdir(root)).not.toContain('x');
    await rm(join(root, 'refused'), { recursive: true });
  });

  test.each([
    ['a folder without a model', ['nowhere'], ModelUnavailableError, /neither model\.json/],
    ['more tokens than positions', ['fine', '--tokens', '11'], UsageError, /3 to 10/],
    ['labels that are one', ['fine', '--labels', 'one'], UsageError, /two different/],
    ['labels of a language model', ['language', '--labels', 'a,b'], UsageError, /continues texts/],
    ['softmax both kept and swapped', ['fine', '--keep-softmax', '--swap-softmax', '4'], UsageError, /without/],
    ['an odd power', ['fine', '--swap-softmax', '3'], Error, /even/],
    ['an epsilon that is no number', ['fine', '--epsilon', 'small'], UsageError, /--epsilon/],
    ['options of the other forms', ['fine', '--calibration', 'texts.txt'], UsageError, /--calibration/],
  ])('%s', async (_, args, error, message) => {
    await writeCheckpoint(join(root, 'fine'), tinyBert());
    await writeCheckpoint(join(root, 'language'), tinyNeox());
    await expect(printed(...args, '--out', 'x')).rejects.toThrow(error);
    await expect(printed(...args, '--out', 'x')).rejects.toThrow(message);
    expect(await readdir(root)).not.toContain('x');
  });

  test('merges of pieces that are not there', async () => {
    const checkpoint = tinyNeox();
    await writeCheckpoint(join(root, 'merged'), { ...checkpoint, tokenizer: { ...checkpoint.tokenizer, 'merges.txt': 'c h\n' } });
    await expect(printed('merged', '--out', 'x')).rejects.toThrow('c h');
  });
});
