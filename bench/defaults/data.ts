/** The data on which the defaults of Neural NMF are chosen: X, the classes of its samples, and samples that no fit sees. */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { tableOne } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random, shuffle } from '../../src/data/random.js';
import type { DataMatrix } from '../../src/data/sparse.js';
import { readCorpus } from '../../src/node/corpus.js';
import { stopWordsOf } from '../../src/text/languages.js';
import { type Document, termDocumentMatrix } from '../../src/text/term-document.js';
import { blocks } from '../regimes/families.js';

export interface Samples {
  X: DataMatrix;
  /** The class of each sample, which the last level is to find. */
  classes: string[];
}

export interface Data extends Samples {
  /** Samples that no fit sees. Without them labels are scored on the samples that were fitted without theirs. */
  fresh?: Samples;
}

export interface DataSet {
  name: string;
  title: string;
  ranks: number[];
  /** The part of the samples that carry a label, where a fit has labels. */
  labelled: number;
  /** Seeds 0, 1, … of the data and of the starts. */
  seeds: number;
  data(seed: number): Promise<Data>;
}

const texts = async (documents: readonly Document[], maxTerms: number) =>
  termDocumentMatrix(documents, { maxTerms, stopWords: await stopWordsOf('en') });

/** The coarse classes of the Brown corpus beside the matrix of `chosen` texts, with the words of `orthant topics`. */
async function brownTexts(maxTerms: number, chosen: (m: number) => boolean): Promise<Samples> {
  const { documents, labelings } = await readCorpus('brown');
  const coarse = labelings.find(({ name }) => name === 'informative or imaginative')!.labels;
  const { X } = await texts(
    documents.filter((_, m) => chosen(m)),
    maxTerms,
  );
  return { X, classes: coarse.filter((_, m) => chosen(m)).map(String) };
}

/** The matrix of `orthant topics brown`. */
export const brownTopics = () => brownTexts(1500, () => true);

async function speeches(): Promise<Data> {
  const { documents } = await readCorpus('sotu');
  const { X } = await texts(documents, 300);
  const years = documents.map(({ date }) => Number(date));
  return { X, classes: years.map((year) => (year < 1861 ? 'to 1860' : year < 1933 ? 'to 1932' : 'from 1933')) };
}

/** 250 messages and 250 that no fit sees, drawn by seed. */
async function mail(seed: number): Promise<Data> {
  const drawn = shuffle(random(seed), [...(await readCorpus('mail')).documents]).slice(0, 500);
  const [here, fresh] = [drawn.slice(0, 250), drawn.slice(250)];
  const { X, vocabulary } = await texts(here, 300);
  const kinds = (documents: readonly Document[]) => documents.map(({ label }) => label!);
  return { X, classes: kinds(here), fresh: { X: termDocumentMatrix(fresh, { vocabulary }).X, classes: kinds(fresh) } };
}

let images: Promise<number[][]> | undefined;

/** The 1797 digits of docs/examples: 64 pixels a row, then the digit. */
function readImages(): Promise<number[][]> {
  const file = new URL('../../docs/examples/digits.csv.gz', import.meta.url);
  images ??= readFile(file).then((bytes) =>
    `${gunzipSync(bytes)}`
      .trim()
      .split('\n')
      .map((line) => line.split(',').map(Number)),
  );
  return images;
}

/** `train` digits, and as many of the others as `test` says, drawn by seed. */
export async function digits(seed: number, { train, test }: { train: number; test: number }): Promise<Data & { fresh: Samples }> {
  const drawn = shuffle(random(seed), [...(await readImages())]);
  const samples = (list: readonly number[][]) => ({ X: pixels(list), classes: list.map((image) => String(image[64])) });
  return { ...samples(drawn.slice(0, train)), fresh: samples(drawn.slice(train, train + test)) };
}

function pixels(list: readonly number[][]): Matrix {
  return matrix(
    64,
    list.length,
    Float32Array.from({ length: 64 * list.length }, (_, at) => list[at % list.length][(at / list.length) | 0]),
  );
}

/**
 * Counts with a hierarchy: 12 patterns over 70 features, each one of four broad patterns and a peak of its own. Each of 100 samples mixes two
 * patterns of one broad group. Counts have the mean and the variance of Poisson's law: a rounded normal variable.
 */
function mixtures(seed: number): Data {
  const r = random(seed);
  const [features, samples] = [70, 100];
  const broad = Array.from({ length: 4 }, () => Array.from({ length: features }, () => r.uniform() ** 4));
  const patterns = Array.from({ length: 12 }, (_, k) =>
    broad[k % 4].map((value, i) => value + (Math.abs(i - 6 * k) < 3 ? 1 : 0) + 0.1 * r.uniform()),
  );
  const X = matrix(features, samples);
  const classes: string[] = [];
  for (let m = 0; m < samples; m++) {
    const group = m % 4;
    const [one, other] = [group + 4 * r.integer(3), group + 4 * r.integer(3)];
    const part = r.uniform();
    for (let i = 0; i < features; i++) {
      const mean = 5 * (part * patterns[one][i] + (1 - part) * patterns[other][i]);
      X.data[i * samples + m] = Math.max(0, Math.round(mean + Math.sqrt(mean) * r.normal()));
    }
    classes.push(String(group));
  }
  return { X, classes };
}

const hierarchy = (name: string, title: string, ranks: number[], given: { noise: number; imbalance: number }): DataSet => ({
  ...{ name, title, ranks, labelled: 0.4, seeds: 3 },
  data: async (seed) => {
    const { X, coarse } = blocks(seed, given);
    return { X, classes: coarse };
  },
});

export const dataSets: readonly DataSet[] = [
  {
    ...{ name: 'table1', title: 'Table 1 data, 87×90', ranks: [9, 4, 2], labelled: 0.4, seeds: 3 },
    data: async (seed) => {
      const { X, labels } = tableOne(seed);
      return { X, classes: labels[2].map(String) };
    },
  },
  hierarchy('blocks', 'Blocks of unequal size, 60×60, noise up to 1', [8, 4, 2], { noise: 1, imbalance: 8 }),
  hierarchy('deep', 'Blocks in four levels, 60×60, noise up to 4', [8, 6, 4, 2], { noise: 4, imbalance: 3 }),
  {
    ...{ name: 'mixtures', title: 'Counts of mixtures, 70×100', ranks: [12, 4], labelled: 0.4, seeds: 3 },
    data: async (seed) => mixtures(seed),
  },
  {
    name: 'brown',
    title: 'Brown corpus, 300 terms × 250 texts',
    ranks: [15, 2],
    labelled: 0.4,
    seeds: 2,
    data: () => brownTexts(300, (m) => m % 2 === 0),
  },
  { name: 'speeches', title: 'Speeches, 300 terms × 233 addresses', ranks: [10, 3], labelled: 0.4, seeds: 2, data: speeches },
  { name: 'mail', title: 'Mail, 300 terms × 250 messages', ranks: [12, 2], labelled: 0.4, seeds: 2, data: mail },
  {
    ...{ name: 'digits', title: 'Handwritten digits, 64 pixels × 300', ranks: [30, 10], labelled: 1, seeds: 2 },
    data: (seed) => digits(seed, { train: 300, test: 450 }),
  },
];
