import type { GenerationConfig, HeMetadata, TextConfig } from '../pretrained/config.js';
import { parametersFor } from '../train/he_defaults.js';
import { digestsOf, jsonBytes, littleEndian, serialiseModel } from '../train/model_folder.js';
import { conversionCard } from './conversion_card.js';
import type { ConvertedCheckpoint } from './converted.js';
import { type ConversionReport, nonPolynomials } from './report.js';

/** A checkpoint in this package's format. */
export interface ConvertedFolder {
  readonly report: ConversionReport;
  readonly config: TextConfig | GenerationConfig;
  /** Every file of the folder, `config.json` and the card among them. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
}

export interface FolderParts {
  readonly name: string;
  /** Its model is disposed of. */
  readonly converted: ConvertedCheckpoint;
  readonly report: Omit<ConversionReport, 'notPolynomial'>;
  /** What `tokenizer.json` holds. */
  readonly tokenizer: object;
  readonly task: Pick<TextConfig, 'task' | 'labels'> | Pick<GenerationConfig, 'task' | 'labels' | 'special' | 'power'>;
}

/** All files of a checkpoint's folder. */
export async function convertedFolder({ name, converted, report: said, tokenizer, task }: FolderParts): Promise<ConvertedFolder> {
  const { model, embedding, embeddingNormEpsilon } = converted;
  const { tokens, sizes } = said;
  const report: ConversionReport = { ...said, notPolynomial: nonPolynomials(converted, tokens, sizes.features) };
  const { modelJson, weights } = await serialiseModel(model);
  const outputShape = model.outputShape.slice(1).map(Number);
  model.dispose();
  const contents = {
    'tokenizer.json': jsonBytes(tokenizer),
    'embedding.bin': littleEndian(embedding),
    'he.json': jsonBytes(heOf(tokens, sizes.features, outputShape, report.needs)),
    'model.json': jsonBytes(modelJson),
    'weights.bin': weights,
    'report.json': jsonBytes(report),
  };
  const common = {
    name,
    format: 1,
    embedding: {
      vocabularySize: sizes.vocabulary,
      features: sizes.features,
      maxTokens: tokens,
      ...(embeddingNormEpsilon === undefined ? {} : { normEpsilon: embeddingNormEpsilon }),
    },
    files: digestsOf(contents),
  } as const;
  const config: TextConfig | GenerationConfig = { ...common, ...task };
  return { report, config, files: { ...contents, 'config.json': jsonBytes(config), 'README.md': conversionCard(config, report) } };
}

function heOf(tokens: number, features: number, outputShape: readonly number[], needs: readonly string[]): HeMetadata {
  const [first = 1, second] = outputShape;
  return {
    inputShape: [1, tokens, features],
    outputShape: second === undefined ? [1, first] : [1, first, second],
    approximations: [],
    tokens,
    needs,
    parameters: parametersFor(),
  };
}
