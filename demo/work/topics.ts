/** The room of topics, in the worker: documents, vocabulary, fits, and the tree with everything that can be asked about it. */
import { type Engine, type FitOptions, type NeuralFactorization, neuralNmf, nmf, type SavedModel } from 'orthant';
import {
  InputError,
  stemmerOf,
  type TermDocumentMatrix,
  type TopicTerm,
  termDocumentMatrix,
  termShares,
  textReader,
  type Vocabulary,
} from 'orthant/text';
import { type Check, type FitEvent, runFit } from './fits.js';
import { checkNotEmpty } from './matrix-read.js';
import { asParts, divide as divideFactors, type Moved, merge as mergeFactors, partOf } from './topics/change.js';
import {
  type Corpus,
  checkSizes,
  type ExampleName,
  type Fields,
  fieldsOf,
  type GivenFile,
  readExample,
  readPasted,
  readTable,
  readTexts,
  tableAmong,
} from './topics/corpus.js';
import { type Exported, exportAs, type Kind, type Origin } from './topics/export.js';
import { readModel } from './topics/import.js';
import { levelErrors } from './topics/levels.js';
import type { Segment } from './topics/marks.js';
import { type Found, found } from './topics/search.js';
import { startFrom } from './topics/start.js';
import { type DrawnTopic, type Factors, key, Reading, type Surroundings, standsOf, type TopicView } from './topics/tree.js';
import { type Effect, type TextChoices, wordsOf } from './topics/words.js';

export type { Fields, TextChoices };

/** What was found in the files: the documents, or the fields of a table of which one has to be chosen. */
export interface Opened {
  fields: string[];
  chosen: Fields;
  /** Why there are no documents yet. */
  problem?: string;
  corpus?: { name: string; documents: number; source: string; notes: string[] };
  /** The tree of a model that was read, or that belongs to the documents. */
  model?: Drawn;
}

export interface Drawn {
  topics: DrawnTopic[];
  ranks: number[];
  errors: number[];
}

export interface LearnOptions {
  ranks: number[];
  restarts: number;
  seed: number;
  maxIterations: number;
  tolerance: number;
}

/** The vocabulary of the documents, and what a tree needs beside factors. */
type Read = Surroundings & { matrix: TermDocumentMatrix };

interface Held {
  corpus?: Corpus;
  words?: Read;
  /** The model that was learned or read, and what it was learned of. */
  model?: SavedModel & NeuralFactorization;
  base?: Surroundings & { matrix?: TermDocumentMatrix };
  names: Map<string, string>;
  /** What topics were called before a division, which leaves all others as they are. */
  labels: Map<string, string>;
  /** Of the model, or of the fit that runs. */
  reading?: Reading;
}

const held: Held = { names: new Map(), labels: new Map() };

// Documents

/** Reads files, the sizes of which are checked before a byte is. */
export async function openFiles(given: GivenFile[], fields?: Fields, encoding?: string): Promise<Opened> {
  checkSizes(given);
  if (given.length === 1 && /\.zip$/i.test(given[0].path)) return openModel(given[0].file);
  const table = tableAmong(given);
  if (!table) return take(await readTexts(given, encoding));
  checkNotEmpty(table.path, table.file);
  const { names, guess } = await fieldsOf(table, encoding).catch((error: unknown) => {
    if (error instanceof InputError && error.option === 'encoding') throw error;
    return { names: [], guess: {} as Fields }; // reading says what is wrong
  });
  const chosen = fields ?? guess;
  try {
    return { ...(await take(await readTable(table, chosen, encoding))), fields: names, chosen };
  } catch (error) {
    if (!(error instanceof InputError) || names.length === 0) throw error;
    return { fields: names, chosen, problem: error.message.replace(/: choose one by the option \w+\./, ': choose one.') };
  }
}

export async function openText(text: string): Promise<Opened> {
  return take(readPasted(text));
}

export async function openExample(name: ExampleName, address: string): Promise<Opened> {
  return take(await readExample(name, address));
}

async function take(corpus: Corpus): Promise<Opened> {
  held.corpus = corpus;
  held.words = undefined;
  if (held.base && !belongs(corpus, held.base)) {
    held.model = undefined;
    held.base = undefined;
    held.reading = undefined;
    held.names = new Map();
    held.labels = new Map();
  } else if (held.model) await attach(corpus, held.model.text as Vocabulary);
  return { fields: [], chosen: {}, corpus: factsOf(corpus), model: held.model && drawn() };
}

function factsOf({ name, documents, source, notes }: Corpus): Opened['corpus'] {
  return { name, documents: documents.length, source, notes };
}

/** The documents of the model that there is, read by its vocabulary. */
async function attach(corpus: Corpus, vocabulary: Vocabulary): Promise<void> {
  const { stemming } = vocabulary.options;
  const stemmer = stemming === null ? undefined : await stemmerOf(stemming);
  held.base = await readWith(corpus, termDocumentMatrix(corpus.documents, { vocabulary, stemmer }));
}

/** Whether a corpus has the documents of a model. */
const belongs = ({ documents }: Corpus, { names }: Surroundings) =>
  documents.length === names.length && documents.every(({ name }, m) => name === names[m]);

function corpusOf(): Corpus {
  if (!held.corpus) throw new InputError('There are no documents yet; give some first.');
  return held.corpus;
}

/** Makes the vocabulary, and tells what the options leave out of it. */
export async function readWords(choices: TextChoices): Promise<Effect> {
  const corpus = corpusOf();
  const words = await wordsOf(corpus.documents, choices);
  const read = await readWith(corpus, words.matrix);
  if (held.corpus === corpus) held.words = read;
  return words.effect;
}

async function readWith({ documents }: Corpus, matrix: TermDocumentMatrix): Promise<Read> {
  const { X, terms, documents: names, vocabulary } = matrix;
  return { matrix, terms, names, overall: termShares(X), documents, reader: await textReader(vocabulary) };
}

function wordsHeld(): Read {
  if (!held.words) throw new InputError('There is no vocabulary yet; the documents have to be read first.');
  return held.words;
}

/** The SVD bound of every rank of `ranks`, which must not rise. Undefined where another matrix has come meanwhile. */
export function bounds(ranks: number[]): Promise<number[]> {
  const { X } = wordsHeld().matrix;
  const thread = new Worker(new URL('./topics/bounds.ts', import.meta.url), { type: 'module', name: 'bounds' });
  return new Promise<number[]>((resolve, reject) => {
    thread.onmessage = ({ data }: MessageEvent<number[]>) => resolve(data);
    thread.onerror = ({ message }) => reject(new Error(message));
    thread.postMessage({ X, ranks });
  }).finally(() => thread.terminate());
}

// Fits

type Draw = (drawn: Drawn, check: Check) => void;

/** Learns from random starts, or from the factors that there are. */
export async function learn(
  options: LearnOptions,
  how: 'anew' | 'on',
  id: number,
  hear: (event: FitEvent) => void,
  draw: Draw,
): Promise<Drawn> {
  const base = wordsHeld();
  const { X } = base.matrix;
  const before = how === 'on' ? { ...fittedModel(), terms: held.base!.terms } : undefined;
  const { ranks, restarts, seed, maxIterations, tolerance } = options;
  return run(base, id, hear, draw, async (engine, hooks) => {
    const common = { ranks, seed, maxIterations, tolerance, svdBound: false, ...hooks };
    if (!before) return { moved: () => null, fit: () => neuralNmf(engine, X, { ...common, restarts }) };
    const { A, moved } = await startFrom(engine, before, X, base.terms, ranks, seed);
    return { moved, fit: () => neuralNmf(engine, X, { ...common, start: { A } }) };
  });
}

/** Divides a topic without topics below it, by a fit of its part of the documents. The rest of the tree stays as it is. */
export async function divide(
  layer: number,
  index: number,
  count: number,
  options: LearnOptions,
  id: number,
  hear: (event: FitEvent) => void,
): Promise<Drawn> {
  const base = baseOf();
  const { X } = base.matrix;
  const model = fittedModel();
  const { seed, maxIterations, tolerance } = options;
  const reading = readingOf();
  const topic = reading.topic(layer, index);
  const labels = reading.allLabels();
  const part = partOf(X, reading.product(layer), model.S[layer], index);
  return run(base, id, hear, undefined, async (engine, hooks) => {
    const { A, S } = await nmf(engine, part, { ranks: count, seed, restarts: 4, maxIterations, tolerance, svdBound: false, ...hooks });
    const { parts, shares } = asParts(A[0], S[0]);
    if (shares.filter((share) => share > 0).length < count)
      throw new InputError(`This topic has no ${count} parts that differ; divide it into fewer.`);
    const changed = divideFactors(model.A, layer, index, parts, shares, standsOf(topic));
    // One iteration: S of every level follows from the new A, and the other topics stay.
    const { A: start, moved } = changed;
    return { moved, labels, fit: () => neuralNmf(engine, X, { start: { A: start }, seed, maxIterations: 1, tolerance, svdBound: false }) };
  });
}

/** Merges two topics of a level, and goes on learning from there. */
export async function merge(
  layer: number,
  first: number,
  second: number,
  options: LearnOptions,
  id: number,
  hear: (event: FitEvent) => void,
  draw: Draw,
): Promise<Drawn> {
  const base = baseOf();
  const { X } = base.matrix;
  const { A, S } = fittedModel();
  const { seed, maxIterations, tolerance } = options;
  const { A: start, moved } = mergeFactors(A, S, layer, first, second);
  return run(base, id, hear, draw, async (engine, hooks) => ({
    moved,
    fit: () => neuralNmf(engine, X, { start: { A: start }, seed, maxIterations, tolerance, svdBound: false, ...hooks }),
  }));
}

/** A fit, and the topics that it begins with. They keep their names from its first picture on. */
interface Begun {
  moved: Moved;
  labels?: Map<string, string>;
  fit: () => Promise<NeuralFactorization>;
}

async function run(
  base: Read,
  id: number,
  hear: (event: FitEvent) => void,
  draw: Draw | undefined,
  begin: (engine: Engine, hooks: FitOptions) => Promise<Begun>,
): Promise<Drawn> {
  let restedAt = 0;
  let [names, labels] = [new Map<string, string>(), new Map<string, string>()];
  try {
    const model = await runFit(
      async (engine, hooks) => {
        const begun = await begin(engine, hooks);
        names = movedNames(held.names, begun.moved);
        labels = movedNames(begun.labels ?? new Map(), begun.moved);
        return begun.fit();
      },
      {
        id,
        hear,
        draw: (factors, check) => {
          // Drawing takes no more than a tenth of the time.
          const from = performance.now();
          if (!draw || from < restedAt) return;
          draw(drawnFrom(factors, new Reading(factors, base, names, labels), base), check);
          restedAt = performance.now() + 9 * (performance.now() - from);
        },
      },
    );
    held.names = names;
    held.labels = labels;
    held.model = { ...model, samples: base.names, text: base.matrix.vocabulary };
    held.base = base;
    return drawn();
  } catch (error) {
    if (held.model) drawn(); // what was drawn of the fit is gone
    throw error;
  }
}

function drawnFrom(factors: Factors, reading: Reading, base: Read): Drawn {
  held.reading = reading;
  return {
    topics: reading.drawn(),
    ranks: factors.A.map(({ cols }) => cols),
    errors: levelErrors(base.matrix.X, factors.A, factors.S),
  };
}

function movedNames(names: ReadonlyMap<string, string>, moved: Moved): Map<string, string> {
  const next = new Map<string, string>();
  for (const [place, name] of names) {
    const [layer, index] = place.split(':').map(Number);
    const to = moved(layer, index);
    if (to) next.set(key(to.layer, to.index), name);
  }
  return next;
}

// The tree

function fittedModel(): SavedModel & NeuralFactorization {
  if (!held.model) throw new InputError('There are no factors yet; start a fit first.');
  return held.model;
}

function baseOf(): Read {
  const { base } = held;
  if (base?.matrix) return { ...base, matrix: base.matrix };
  throw new InputError('This model was opened without its documents, which are needed here; open them, and then the model.');
}

function readingOf(): Reading {
  if (!held.reading) throw new InputError('There is no tree yet; start a fit first.');
  return held.reading;
}

/** The tree on the screen is that of the model, unless a fit draws its own. */
function checkEnded(): void {
  if (held.reading && held.reading.factors !== fittedModel())
    throw new InputError('The tree on the screen still learns; wait for the end of the fit, or stop it.');
}

function drawn(): Drawn {
  const model = fittedModel();
  held.reading = new Reading(model, held.base!, held.names, held.labels);
  return {
    topics: held.reading.drawn(),
    ranks: model.ranks,
    errors: model.layers.map(({ relativeError }) => relativeError),
  };
}

export const topicAt = (layer: number, index: number): TopicView => readingOf().view(layer, index);

export const wordsAt = (layer: number, index: number, lambda: number, count: number): TopicTerm[] =>
  readingOf().words(layer, index, lambda, count);

export const documentAt = (document: number, layer: number, index: number): Segment[] => readingOf().document(document, layer, index);

export function rename(layer: number, index: number, name: string): Drawn {
  checkEnded();
  const trimmed = name.trim();
  if (trimmed === '') held.names.delete(key(layer, index));
  else held.names.set(key(layer, index), trimmed);
  return drawn();
}

/** Topics and documents near to some words, and those whose names have them. */
export const search = (query: string): Found => found(query, readingOf(), held.base?.matrix?.X);

// Files

export function exported(kind: Kind, origin: Origin): Promise<Exported> {
  const model = fittedModel();
  checkEnded();
  return exportAs(kind, { model, reading: readingOf(), X: held.base?.matrix?.X, title: held.corpus?.name ?? 'topics', origin });
}

/** A model that was saved as .zip. Documents that are open belong to it where they have its names. */
async function openModel(file: File): Promise<Opened> {
  const { model, names } = await readModel(new Uint8Array(await file.arrayBuffer()), file.name);
  const { text, samples = [] } = model;
  const base = { terms: text.terms, names: samples, reader: await textReader(text) };
  const corpus = held.corpus && belongs(held.corpus, base) ? held.corpus : undefined;
  held.corpus = corpus;
  held.words = undefined;
  held.base = base;
  if (corpus) await attach(corpus, text);
  held.model = model;
  held.names = names;
  held.labels = new Map();
  return { fields: [], chosen: {}, corpus: corpus && factsOf(corpus), model: drawn() };
}
