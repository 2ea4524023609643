/** The topics of new texts, by a model that has the vocabulary of those it was fitted to. */
import { transpose } from '../data/matrix.js';
import { InputError } from '../errors.js';
import { transform } from '../models/apply.js';
import type { SavedModel } from '../models/files.js';
import { headerOf, isCorpusOnly } from '../node/corpus.js';
import { loadModel } from '../node/model-folder.js';
import { stemmerOf } from '../text/languages.js';
import { type TermDocumentMatrix, termDocumentMatrix } from '../text/term-document.js';
import { checkVocabulary, type Vocabulary } from '../text/vocabulary.js';
import { type DocumentTopics, documentTopics, type LayerTopic, layerTopics } from '../topics/shares.js';
import type { DeviceChoice } from './arguments.js';
import type { Io } from './io.js';
import { encoderOf, outputTarget } from './output-target.js';
import { describeDevice, onDevice, toJson } from './run-fit.js';
import { readDocuments, type SourceOptions } from './text-options.js';
import { columnsOf, cut, padded, wrapAll } from './text-width.js';

export interface TransformTextsOptions extends SourceOptions {
  layer?: number;
  out?: string;
  outputFormat?: string;
  inputFormat?: string;
  json?: boolean;
  device: DeviceChoice;
}

/**
 * Whether the data of a command are texts, and no matrix. A table with a column "text" is one for a model of texts, unless most of its columns
 * are terms of the model. Standard input has what the model was fitted to, unless its format is told.
 */
export async function areTexts(
  modelPath: string,
  data: string,
  { textField, encoding, inputFormat }: Pick<TransformTextsOptions, 'textField' | 'encoding' | 'inputFormat'>,
): Promise<boolean> {
  if (textField !== undefined) return true;
  if (data === '-') return inputFormat === undefined && (await loadModel(modelPath)).text !== undefined;
  if (await isCorpusOnly(data)) return true;
  const header = await headerOf(data, encoding);
  if (!header.includes('text')) return false;
  const { text } = await loadModel(modelPath);
  if (text === undefined) return false;
  const terms = new Set(text.terms);
  return header.filter((name) => terms.has(name)).length <= header.length / 2;
}

/** The vocabulary of a model that was fitted to texts. */
function vocabularyOf({ text }: SavedModel, modelPath: string, data: string): Vocabulary {
  if (text !== undefined) return checkVocabulary(text);
  throw new InputError(
    `${modelPath} has no vocabulary, so it cannot read the texts of ${data}; fit it again with orthant topics --out, or give a matrix.`,
  );
}

export async function transformTexts(io: Io, modelPath: string, source: string, options: TransformTextsOptions): Promise<void> {
  return printTopicsOf(io, { model: await loadModel(modelPath), modelPath }, source, options);
}

interface NamedModel {
  model: SavedModel;
  modelPath: string;
}

/** Prints, and writes if that is asked for, the topics of the documents of a corpus. */
export async function printTopicsOf(
  io: Io,
  { model, modelPath }: NamedModel,
  source: string,
  options: TransformTextsOptions,
): Promise<void> {
  const { layer, out, json, device: prefer } = options;
  if (options.inputFormat !== undefined) throw new InputError('--input-format is for matrices; leave it out for texts.');
  const encode = out === undefined ? undefined : encoderOf(out, options.outputFormat);
  const target = out === undefined ? undefined : await outputTarget(io, out, options);
  const vocabulary = vocabularyOf(model, modelPath, source);
  const chosen = layer ?? model.S.length - 1;
  if (chosen >= model.S.length)
    throw new InputError(`--layer ${chosen} is not there: the model has S of the layers ${model.S.map((_, l) => l).join(', ')}.`);
  const corpus = await readDocuments(io, source, options);
  const { stemming } = vocabulary.options;
  const stemmer = stemming === null ? undefined : await stemmerOf(stemming);
  const matrix = termDocumentMatrix(corpus.documents, { vocabulary, stemmer });
  const { S, used } = await onDevice(io, { device: prefer }, async (engine, device) => ({
    S: (await transform(engine, model, matrix.X, { features: matrix.terms }))[chosen],
    used: describeDevice(device, prefer),
  }));
  if (target) await target.write(await encode!(transpose(S), { rowNames: matrix.documents }));
  const found = { topics: layerTopics(model.A, matrix.terms, chosen, 10), documents: documentTopics(model.A, S, chosen, matrix.documents) };
  if (json) return io.stdout.write(toJson({ layer: chosen, ...found, emptyDocuments: matrix.emptyDocuments }));
  const head = `${corpus.name}: ${matrix.documents.length} documents, ${present(matrix)} of the ${matrix.terms.length} terms, by ${model.method} on ${used}`;
  const written = !target ? [] : ['', `${target.name}: S of layer ${chosen} (${S.cols}×${S.rows}), a row a document`];
  const messages = target?.messages ?? io.stdout;
  messages.print([
    ...wrapAll([head, ...corpus.notes], messages.columns),
    '',
    ...table(found, messages.columns ?? 100),
    ...emptyNote(matrix),
    ...written,
  ]);
}

function present({ X }: TermDocumentMatrix): number {
  let count = 0;
  for (let i = 0; i < X.rows; i++) if (X.rowStarts[i + 1] > X.rowStarts[i]) count++;
  return count;
}

function emptyNote({ emptyDocuments }: TermDocumentMatrix): string[] {
  if (emptyDocuments.length === 0) return [];
  const [have, they] = emptyDocuments.length === 1 ? ['document has', 'it has'] : ['documents have', 'they have'];
  return [
    '',
    `${emptyDocuments.length} ${have} none of the terms, so ${they} no topic: ${emptyDocuments.slice(0, 5).join(', ')}${emptyDocuments.length > 5 ? ', …' : ''}`,
  ];
}

/** A line for each topic, by number, and one for each document with its largest topics. */
function table({ topics, documents }: { topics: LayerTopic[]; documents: DocumentTopics[] }, columns: number): string[] {
  const fitted = (line: string) => cut(line, columns);
  const digits = String(topics.length - 1).length;
  const named = topics.map(({ index, terms }) => fitted(`topic ${String(index).padStart(digits)}  ${terms.join(', ') || '(empty)'}`));
  const width = Math.min(Math.max(...documents.map(({ name }) => columnsOf(name))), Math.max(20, Math.floor(columns / 3)));
  const lines = documents.map(({ name, topics: shares }) => {
    const largest = shares.filter(({ share }, i) => i === 0 || (i < 4 && share >= 0.05));
    const parts = largest.map(({ index, share }, i) => {
      const words = i === 0 ? `  ${topics[index].terms.slice(0, 3).join(', ')}` : '';
      return `${String(Math.round(100 * share)).padStart(3)} % topic ${index}${words}`;
    });
    const shown = padded(cut(name, width), width);
    return fitted(`${shown}  ${parts.join('; ') || '–'}`.trimEnd());
  });
  return [...named, '', ...lines];
}
