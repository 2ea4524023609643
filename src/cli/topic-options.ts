/** The options of `topics` beyond those of a fit and of texts, and what they ask for. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Matrix } from '../data/matrix.js';
import type { SparseMatrix } from '../data/sparse.js';
import { quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import { decodeText } from '../formats/file-format.js';
import type { Guide } from '../methods/guide.js';
import type { Factorization } from '../methods/methods.js';
import { readBytes } from '../node/files.js';
import type { Document } from '../text/term-document.js';
import { checkGroups, type Field, type GroupShares, type Period, periodsOf, sharesByGroup } from '../topics/groups.js';
import { type TopicFlow, topicFlows } from '../topics/layers.js';
import { type NearTopic, nearestTopics } from '../topics/nearest.js';
import { checkMinChildren } from '../topics/parents.js';
import { guideOf, parseSeed, parseSeeds, type Seed } from '../topics/seeds.js';
import type { TextReader } from '../topics/text-reader.js';
import { type LayerQuality, withCoherence, withSentences } from '../topics/texts.js';
import { type Topic, topicTree } from '../topics/tree.js';
import { termShares } from '../topics/words.js';
import { parseCount } from './arguments.js';
import { coherenceTable, flowTable, labelsOf, nearestTable, sharesTable } from './print-topics.js';
import { printTree } from './print-tree.js';
import { wrap } from './text-width.js';

export interface TopicOptions {
  words: number;
  relevance?: number;
  minChildren?: number;
  seedWords?: string;
  seedTopic?: string[];
  onlySeedWords?: boolean;
  sentences?: boolean;
  by?: Period;
  flows?: boolean;
  find?: string;
  labelField?: string;
  dateField?: string;
}

const group = 'Topics:';

export function addTopicOptions(command: Command): Command {
  const options = [
    new Option(
      '--relevance <λ>',
      'show words by relevance: from 1, the heaviest, to 0, those that the topic has more of than the corpus',
    ).argParser(parseRelevance),
    new Option('--sentences', 'show a sentence of every typical document (default: of the first one, on wide terminals)'),
    new Option('--no-sentences', 'show no sentences'),
    new Option('--min-children <n>', 'every topic has at least so many topics of the layer below').argParser(parseCount),
    new Option('--seed-words <file>', "start topics of the lowest layer from words: a file of lines such as 'economy: tax, budget'"),
    new Option('--seed-topic <text>', "one such line, 'economy: tax, budget'; may be repeated").argParser(
      (text: string, before: string[] = []) => [...before, text],
    ),
    new Option('--only-seed-words', 'these topics consist of their seed words alone'),
    new Option('--by <period>', 'the periods of the shares over dates (default: by their span)').choices(['decade', 'year', 'month']),
    new Option('--flows', 'show how the topics of each layer flow into those of the next'),
    new Option('--find <text>', 'show the topics that are nearest to a text, instead of the tree').argParser(parseText),
  ];
  for (const option of options) command.addOption(option.helpGroup(group));
  return command;
}

function parseRelevance(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It must be a number from 0 to 1, such as 0.6.');
  return value;
}

function parseText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty; give some words.');
  return text;
}

/** A corpus as the topics need it. */
export interface TopicCorpus {
  documents: readonly Document[];
  X: SparseMatrix;
  terms: readonly string[];
  reader: TextReader;
}

/** What the options ask for, read and checked before the fit. */
export interface TopicPlan {
  guide?: Guide;
  /** Names of the first topics of the lowest layer. */
  names: string[];
  /** The weights of the terms in the text of --find. */
  sought?: Float64Array;
  /** Values of the fields by which shares are told, one a document. */
  fields: [Field, (string | null)[]][];
}

/** Throws InputError for options that do not fit the corpus or the ranks. */
export async function planTopics(options: TopicOptions, ranks: readonly number[], corpus: TopicCorpus): Promise<TopicPlan> {
  checkLayers(options, ranks);
  const seeds = await readSeeds(options);
  if (seeds.length === 0 && options.onlySeedWords)
    throw new InputError('--only-seed-words does nothing without --seed-words or --seed-topic; give one of them.');
  const columns: Matrix | undefined = seeds.length > 0 ? guideFrom(options, seeds, corpus, ranks[0]) : undefined;
  const sought = options.find === undefined ? undefined : soughtWeights(options.find, corpus);
  return {
    guide: columns && { columns, only: options.onlySeedWords },
    names: seeds.map(({ name }) => name),
    sought,
    fields: fieldsOf(options, corpus.documents),
  };
}

/** Throws InputError for options that the layers cannot follow, or have no use for. */
function checkLayers({ minChildren, flows }: TopicOptions, ranks: readonly number[]): void {
  const [first] = Object.entries({ minChildren, flows }).flatMap(([option, value]) => (value ? [option] : []));
  if (ranks.length === 1 && first !== undefined)
    throw new InputError(`The option ${first} needs two layers or more, and --ranks ${ranks[0]} is one; leave it out.`, { option: first });
  checkMinChildren(minChildren ?? 0, ranks);
}

/** The guide of seeds, with complaints that name the option which gave them. */
function guideFrom(
  { seedWords }: TopicOptions,
  seeds: readonly Seed[],
  { terms, reader }: Pick<TopicCorpus, 'terms' | 'reader'>,
  rank: number,
): Matrix {
  try {
    return guideOf(seeds, terms, rank, reader);
  } catch (error) {
    if (!(error instanceof InputError) || seedWords !== undefined) throw error;
    throw new InputError(error.message, { option: 'seedTopic', cause: error });
  }
}

/** The weights of the terms in the text of --find. Throws InputError where it has none of them. */
export function soughtWeights(find: string, { terms, reader }: Pick<TopicCorpus, 'terms' | 'reader'>): Float64Array {
  const weights = reader.weigh(find);
  if (weights.some((weight) => weight > 0)) return weights;
  throw new InputError(`--find: the text ${quoted(find)} has none of the ${terms.length} terms; give other words.`);
}

async function readSeeds({ seedWords, seedTopic = [] }: TopicOptions): Promise<Seed[]> {
  const file = seedWords === undefined ? [] : parseSeeds(decodeText(await readBytes(seedWords), seedWords), seedWords);
  return [...file, ...seedTopic.map((text) => parseSeed(text, '--seed-topic'))];
}

/** A field that was not asked for is left out where it says nothing. */
function fieldsOf({ by, labelField, dateField }: TopicOptions, documents: readonly Document[]): TopicPlan['fields'] {
  const fields: TopicPlan['fields'] = [];
  const labels = documents.map(({ label }) => label ?? null);
  const dates = documents.map(({ date }) => date ?? null);
  if (by !== undefined && dates.every((date) => date === null))
    throw new InputError(`--by ${by} needs dates, and no document has one; name the field that has them by --date-field.`);
  const add = (field: Field, asked: boolean, values: () => (string | null)[]) => {
    try {
      const found = values();
      checkGroups(found, field);
      fields.push([field, found]);
    } catch (error) {
      if (asked || !(error instanceof InputError)) throw error;
    }
  };
  add('label', labelField !== undefined, () => labels);
  add('date', by !== undefined || dateField !== undefined, () => periodsOf(dates, by));
  return fields;
}

/** What was found, as --json has it beside the model. */
export interface FoundTopics {
  topics: Topic[];
  quality: LayerQuality[];
  flows: TopicFlow[];
  shares: Partial<Record<Field, GroupShares>>;
  nearest?: NearTopic[][];
}

export function describeTopics(model: Factorization, options: TopicOptions, plan: TopicPlan, corpus: TopicCorpus): FoundTopics {
  const { documents, terms, X, reader } = corpus;
  const names = documents.map(({ name }) => name);
  const { words, relevance, minChildren } = options;
  const tree = topicTree(model, terms, names, { words, relevance, minChildren, overall: termShares(X), names: plan.names });
  const coherent = withCoherence(tree, model, terms, reader.tokens(documents));
  const texts = documents.map(({ text }) => text);
  return {
    topics: withSentences(coherent.topics, model, terms, texts, { termsOf: reader.termsOf, locale: reader.language }),
    quality: coherent.layers,
    flows: topicFlows(model),
    shares: Object.fromEntries(plan.fields.map(([field, values]) => [field, sharesByGroup(model, values, field)])),
    ...(plan.sought ? { nearest: nearestTopics(model, plan.sought) } : {}),
  };
}

/** Columns of a terminal that is wide enough for sentences. */
const wideTerminal = 90;

/** The lines of what was found, none longer than `width`. */
export function printTopics(found: FoundTopics, { relevance, sentences, flows, find }: TopicOptions, width: number): string[] {
  const { topics } = found;
  if (found.nearest) return nearestTable(find!, found.nearest, topics, width);
  const labels = labelsOf(topics);
  const shown = sentences ?? (width >= wideTerminal ? undefined : false);
  const part = (lines: readonly string[]) => [...lines, ''];
  return [
    ...printTree(topics, {
      width,
      words: relevance === undefined ? 'terms' : 'relevant',
      sentences: shown === undefined ? 'first' : shown ? 'all' : 'none',
    }),
    '',
    ...wrap(
      'Percentages: share of the corpus within a layer; ↑: the part of the topic above that it makes up; e.g.: documents with most of it.',
      width,
    ),
    '',
    ...Object.entries(found.shares).flatMap(([field, shares]) => part(sharesTable(field as Field, shares, labels, width))),
    ...(flows ? found.flows.flatMap((flow) => part(flowTable(flow, labels, width))) : []),
    ...part(coherenceTable(topics, found.quality, width)),
  ];
}
