/** The heat maps of a report: the data, its reconstructions, the factors. */
import { type Matrix, multiply, transpose } from '../data/matrix.js';
import { type Factorization, methodOf } from '../methods/methods.js';
import { type Blocks, blockMeans, blocksOf, byDominant, columnBlocks, type HeatMap, heatMap, productMeans, rowBlocks } from './heat-map.js';
import type { Nouns, ReportData, ReportSource, ReportTopic } from './types.js';

/** A⁰…Aˡ for every layer whose reconstruction is (A⁰…Aˡ)Sˡ: not beyond the first where something else stands between the factors. */
export function productsOf(model: Factorization): Matrix[] {
  const { A } = model;
  if (model.method === 'unfolded' && A.length > 1) return [];
  const linear = model.method === 'deep' && model.settings.pooling === 'none' && model.settings.activation === 'identity';
  const products = [A[0]];
  if (linear || methodOf(model.method).chained) for (const Al of A.slice(1)) products.push(multiply(products[products.length - 1], Al));
  return products;
}

interface Arrangement {
  rows: Blocks;
  cols: Blocks;
  inWords: string;
}

export function picturesOf(
  source: ReportSource,
  products: readonly Matrix[],
  topics: readonly ReportTopic[],
  nouns: Nouns,
): Pick<ReportData, 'heatMaps' | 'heatMapOrder'> {
  const { model, X } = source;
  const { layers, S } = model;
  const { rows, cols, inWords } = arrangementOf(source, topics, nouns);
  const data = heatMap(blockMeans(X, rows, cols), {
    name: 'X',
    caption: `the data: ${X.rows} ${nouns.feature}s × ${X.cols} ${nouns.sample}s`,
    rows: X.rows,
    cols: X.cols,
  });
  const reconstructions = products.map((Psi, l) =>
    heatMap(productMeans(Psi, S[l], rows, cols), {
      name: `${products
        .slice(0, l + 1)
        .map((_, i) => `A${raised(i)}`)
        .join('')}S${raised(l)}`,
      caption: `rank ${layers[l].rank}, relative error ${layers[l].relativeError.toFixed(4)}`,
      rows: X.rows,
      cols: X.cols,
      high: data.high,
    }),
  );
  return { heatMaps: [data, ...reconstructions, ...factorsOf(source, rows, cols, nouns)], heatMapOrder: inWords };
}

function factorsOf({ model: { A, S }, X }: ReportSource, rows: Blocks, cols: Blocks, { feature, sample, part }: Nouns): HeatMap[] {
  const whole = (count: number) => blocksOf(count, count);
  const features = A.map((Al, l) => {
    const ofX = Al.rows === X.rows;
    const caption = `${Al.rows} ${l === 0 ? feature : part}s × ${Al.cols} ${part}s`;
    const means = blockMeans(Al, ofX ? rows : rowBlocks(Al.rows), whole(Al.cols));
    return heatMap(means, { name: `A${raised(l)}`, caption, rows: Al.rows, cols: Al.cols });
  });
  const coefficients = S.map((Sl, l) => {
    const ofX = Sl.cols === X.cols;
    const caption = `${Sl.rows} ${part}s × ${Sl.cols} ${ofX ? `${sample}s` : 'columns'}`;
    const means = blockMeans(Sl, whole(Sl.rows), ofX ? cols : columnBlocks(Sl.cols));
    return heatMap(means, { name: `S${raised(l)}`, caption, rows: Sl.rows, cols: Sl.cols });
  });
  return [...features, ...coefficients];
}

/** The order of rows and columns, and the blocks that a picture has places for. */
function arrangementOf({ model, X, order, labels, truth }: ReportSource, topics: readonly ReportTopic[], nouns: Nouns): Arrangement {
  const { A, S } = model;
  if (order === 'parts' && topics.length > 0) {
    const leaves = leafOrder(A[0].cols, topics);
    // Both weigh a part as its rank-one matrix does, whatever the scales of its column and its row.
    const St = transpose(S[0]);
    return {
      rows: rowBlocks(X.rows, byDominant(A[0], columnSums(St), leaves)),
      cols: columnBlocks(X.cols, byDominant(St, columnSums(A[0]), leaves)),
      inWords: `Rows and columns stand in the order of the ${nouns.part} of layer 0 that each has most of.`,
    };
  }
  if (labels?.length === X.cols) {
    const classOf = (c: number) => labels[c] || truth?.[c] || '';
    const byClass = Array.from(labels, (_, c) => c).sort((a, b) => compare(classOf(a), classOf(b)) || a - b);
    return { rows: rowBlocks(X.rows), cols: columnBlocks(X.cols, byClass), inWords: 'Rows stand as in the data, columns by their class.' };
  }
  return { rows: rowBlocks(X.rows), cols: columnBlocks(X.cols), inWords: 'Rows and columns stand as in the data.' };
}

function columnSums({ rows, cols, data }: Matrix): Float64Array {
  const sums = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) sums[j] += data[i * cols + j];
  return sums;
}

/** The order of names; what has none comes last. */
function compare(a: string, b: string): number {
  if (a === '' || b === '') return Number(a === '') - Number(b === '');
  return a < b ? -1 : Number(a > b);
}

/** The parts of layer 0 as they stand in the tree, from left to right, then those that do not. */
function leafOrder(count: number, topics: readonly ReportTopic[]): number[] {
  const found: number[] = [];
  const visit = (topic: ReportTopic) => {
    if (topic.layer === 0) found.push(topic.index);
    topic.children.forEach(visit);
  };
  topics.forEach(visit);
  return [...found, ...Array.from({ length: count }, (_, j) => j).filter((j) => !found.includes(j))];
}

const raised = (l: number) => Array.from(String(l), (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
