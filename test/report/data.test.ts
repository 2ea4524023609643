/** The numbers of a report, derived by hand or by plain loops. */
import { describe, expect, test } from 'vitest';
import { matrix, multiply } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { reportData } from '../../src/report/data.js';
import { blockMeans, blocksOf, byDominant, heatMap, productMeans } from '../../src/report/heat-map.js';
import { escapeHtml, escapeJson, html } from '../../src/report/html.js';
import { percent } from '../../src/report/numbers.js';
import { lambdas, wordsShown } from '../../src/report/slider.js';
import { csvOf, downloadsOf } from '../../src/report/tables.js';
import type { ReportTopic } from '../../src/report/types.js';
import { rowShares, topicWords } from '../../src/report/words.js';
import { relevance } from '../../src/topics/relevance.js';
import { exampleModel, exampleSource, hostile } from './example.js';

const seed = 1 + Math.floor(Math.random() * 2 ** 31);

describe('relevance', () => {
  test('is λ log φ + (1 − λ) log(φ / p)', () => {
    // 0.6 ln 0.3 + 0.4 ln 6 = −0.7223837 + 0.7167038
    expect(relevance(0.3, 0.05, 0.6)).toBeCloseTo(-0.0056799, 6);
    expect(relevance(0.5, 0.4, 1)).toBe(Math.log(0.5));
    expect(relevance(0.5, 0.25, 0)).toBeCloseTo(Math.log(2));
  });

  test('of a term that is not there is −∞', () => {
    expect([relevance(0, 0.1, 0.5), relevance(0.1, 0, 0.5), relevance(0, 0, 1)]).toEqual(Array(3).fill(Number.NEGATIVE_INFINITY));
    expect(relevance(0.1, 0, 1)).toBe(Math.log(0.1));
  });

  test(`words hold the first ${wordsShown} at every position of the slider, and nothing else (seed ${seed})`, () => {
    const { uniform: next } = random(seed);
    const N = 400;
    const Psi = matrix(
      N,
      2,
      Array.from({ length: 2 * N }, () => (next() < 0.2 ? 0 : next() ** 4)),
    );
    const corpus = Array.from({ length: N }, () => (next() < 0.05 ? 0 : next() / N));
    const terms = Array.from({ length: N }, (_, i) => `t${i}`);
    const sum = Array.from({ length: N }, (_, i) => Psi.data[2 * i + 1]).reduce((a, b) => a + b, 0);
    const shares = terms.map((_, i) => Psi.data[2 * i + 1] / sum);
    const expected = new Set<string>();
    for (const lambda of lambdas) {
      const scores = terms
        .map((term, i) => ({ term, score: relevance(shares[i], corpus[i], lambda) }))
        .filter(({ score }) => score > -Infinity);
      for (const { term } of scores.sort((a, b) => b.score - a.score).slice(0, wordsShown)) expected.add(term);
    }
    const words = topicWords(Psi, 1, terms, corpus);
    expect(words.map(({ term }) => term).sort(), `seed ${seed}`).toEqual([...expected].sort());
    expect(words.map(({ share }) => share)).toEqual(words.map(({ share }) => share).sort((a, b) => b - a));
    expect(words.length).toBeGreaterThan(wordsShown);
  });

  test('shares of rows, dense and sparse', () => {
    const X = matrix(3, 2, [1, 2, 0, 0, 4, 1]);
    expect(rowShares(X)).toEqual([3 / 8, 0, 5 / 8]);
    expect(rowShares(sparseFromDense(X))).toEqual([3 / 8, 0, 5 / 8]);
    expect(rowShares(matrix(2, 1))).toEqual([0, 0]);
  });
});

describe('heat maps', () => {
  const X = matrix(3, 4, [1, 3, 5, 7, 2, 2, 4, 4, 10, 20, 30, 40]);

  test('are means of blocks', () => {
    // Rows 0 and 1 | 2, columns 0 and 1 | 2 and 3.
    const [rows, cols] = [blocksOf(3, 2), blocksOf(4, 2)];
    expect([...rows.sizes]).toEqual([2, 1]);
    expect([...blockMeans(X, rows, cols).data]).toEqual([2, 5, 15, 35]);
    expect([...blockMeans(sparseFromDense(X), rows, cols).data]).toEqual([2, 5, 15, 35]);
  });

  test('follow an order', () => {
    const rows = blocksOf(3, 3, [2, 0, 1]);
    expect([...blockMeans(X, rows, blocksOf(4, 1)).data]).toEqual([25, 4, 3]);
  });

  test(`of a product are those of the product formed (seed ${seed})`, () => {
    const { uniform: next } = random(seed);
    const some = (rows: number, cols: number) =>
      matrix(
        rows,
        cols,
        Array.from({ length: rows * cols }, () => next() - 0.5),
      );
    const [A, S] = [some(23, 4), some(4, 31)];
    const [rows, cols] = [blocksOf(23, 7), blocksOf(31, 5)];
    const [found, expected] = [productMeans(A, S, rows, cols), blockMeans(multiply(A, S), rows, cols)];
    // Four products ≤ 1/4 each and a few means, each rounded to 24 bits.
    found.data.forEach((x, i) => {
      expect(Math.abs(x - expected.data[i]), `seed ${seed}`).toBeLessThan(16 * 2 ** -24);
    });
  });

  test('hold 256 levels from 0, or about 0 where something is negative', () => {
    const size = { name: 'X', caption: '', rows: 1, cols: 3 };
    const levels = (map: { levels: string }) => Array.from(atob(map.levels), (character) => character.charCodeAt(0));
    const positive = heatMap(matrix(1, 3, [0, 2, 4]), size);
    expect([positive.low, positive.high, levels(positive)]).toEqual([0, 4, [0, 128, 255]]);
    const signed = heatMap(matrix(1, 3, [-2, 0, 1]), size);
    expect([signed.low, signed.high, levels(signed)]).toEqual([-2, 2, [0, 128, 191]]);
    expect(levels(heatMap(matrix(1, 3, [0, 2, 8]), { ...size, high: 4 }))).toEqual([0, 128, 255]);
    expect(levels(heatMap(matrix(1, 3), size))).toEqual([0, 0, 0]);
  });

  test('stand together by the part that weighs most', () => {
    const A = matrix(4, 2, [1, 0, 0, 9, 3, 1, 0, 0]);
    expect([...byDominant(A, [1, 1], [1, 0])]).toEqual([1, 2, 0, 3]);
    expect([...byDominant(A, [1, 4], [0, 1])]).toEqual([0, 1, 2, 3]);
  });
});

describe('the data of a report', () => {
  const data = reportData(exampleSource());

  test('have the tree with shares of parts and of the corpus', () => {
    const shape = ({ layer, index, share, weight, children }: ReportTopic): unknown => [layer, index, share, weight, children.map(shape)];
    // Masses of layer 1: topic 0 has 10·2 = 20 of its only part; topic 1 has (4 + 4)·11 = 88, half each of the parts 1 and 2.
    const [first, second] = [Number((88 / 108).toPrecision(6)), Number((20 / 108).toPrecision(6))];
    expect(data.topics.map(shape)).toEqual([
      [
        1,
        1,
        first,
        null,
        [
          [0, 1, 0.25, 0.5, []],
          [0, 2, 0.5, 0.5, []],
        ],
      ],
      [1, 0, second, null, [[0, 0, 0.25, 1, []]]],
    ]);
    expect(data.topics[1].words).toEqual([
      { term: hostile.terms[0], share: 0.5, corpus: 0.4 },
      { term: hostile.terms[1], share: 0.3, corpus: 0.05 },
      { term: hostile.terms[2], share: 0.2, corpus: 0.05 },
    ]);
    expect(data.topics[1].title).toBe(hostile.terms.slice(0, 3).join(' · '));
    expect(data.topics[1].children[0].documents).toEqual([
      { name: hostile.documents[0], weight: 0.5 },
      { name: hostile.documents[1], weight: 0.5 },
    ]);
  });

  test('have labels and sentences of a tree that is given', () => {
    const given = [
      {
        layer: 1,
        index: 0,
        label: 'ships',
        share: 1,
        weight: null,
        documents: [{ name: 'a', weight: 1, sentence: 'It sails.' }],
        children: [],
      },
    ];
    const [topic] = reportData({ ...exampleSource(), topics: given }).topics;
    expect(topic).toMatchObject({ title: 'ships', documents: [{ name: 'a', weight: 1, sentence: 'It sails.' }] });
    expect(topic.words).toHaveLength(3);
  });

  test('count predicted classes beside true ones', () => {
    const classes = ['<i>a</i>', 'b'];
    expect(data.confusions).toEqual([
      // Sample 0 is predicted as it is labelled, sample 2 as b.
      { title: 'Samples fitted with their label', rows: ['<i>a</i>'], columns: classes, counts: [[1, 1]] },
      { title: 'Samples fitted without their label', rows: ['b'], columns: classes, counts: [[0, 1]] },
    ]);
  });

  test('tell a sample without a class, and a class that cannot be predicted', () => {
    const model = exampleModel();
    model.S[1].data.set([2, 0, 0, 0, 0, 6]);
    const { confusions } = reportData({ ...exampleSource(), model, truth: ['<i>a</i>', 'c', 'b'] });
    expect(confusions[1]).toEqual({
      title: 'Samples fitted without their label',
      rows: ['c'],
      columns: ['<i>a</i>', 'b', ''],
      counts: [[0, 0, 1]],
    });
  });

  test('are plain JSON, restarts that broke down included', () => {
    expect(JSON.parse(JSON.stringify(data))).toEqual(data);
    expect(data.restarts).toEqual({ errors: [0.25, null, 0.3], kept: 0 });
    expect(data.settings).toEqual([
      ['corpus', '<script>alert(4)</script>'],
      ['max iterations', '100'],
    ]);
  });

  test('show the data, its reconstructions and the factors', () => {
    expect(data.heatMaps.map(({ name }) => name)).toEqual(['X', 'A⁰S⁰', 'A⁰A¹S¹', 'A⁰', 'A¹', 'S⁰', 'S¹']);
    const [X, product] = data.heatMaps;
    expect([X.low, X.high, product.high]).toEqual([0, 8, 8]);
    expect(data.heatMapOrder).toBe('Rows stand as in the data, columns by their class.');
  });

  test('have no tree where entries are negative', () => {
    const model = { ...exampleModel(), method: 'deep-semi' } as ReturnType<typeof exampleModel>;
    model.A[0].data[0] = -1;
    expect(reportData({ ...exampleSource(), model }).topics).toEqual([]);
  });
});

describe('tables', () => {
  test('quote what CSV would read otherwise', () => {
    const csv = csvOf([['a', 'b,c', 'say "so"', 'two\nlines', ' blank', null, 0.5]]);
    expect(csv).toBe('a,"b,c","say ""so""","two\nlines"," blank",,0.5\r\n');
  });

  test('hold what the page shows', () => {
    const files = Object.fromEntries(downloadsOf(reportData(exampleSource())).map(({ file, csv }) => [file, csv]));
    expect(Object.keys(files)).toEqual(
      ['topics', 'words', 'documents', 'errors', 'history', 'restarts', 'classes-1', 'classes-2', 'ranks-0', 'table-1'].map(
        (name) => `orthant-${name}.csv`,
      ),
    );
    expect(files['orthant-errors.csv']).toBe('layer,rank,relative error,SVD bound\r\n0,3,0.125,0.1\r\n1,2,0.25,0.2\r\n');
    expect(files['orthant-restarts.csv']).toBe('restart,relative error,kept\r\n0,0.25,yes\r\n1,,no\r\n2,0.3,no\r\n');
    expect(files['orthant-ranks-0.csv'].split('\r\n').slice(2, 4)).toEqual(['3,0.125,0.25,0.03125,0.5,0.7,0.5,1', '4,0.12,,,0.25,0.6,,']);
    expect(files['orthant-topics.csv'].split('\r\n')[2]).toBe('0,1,<!--<script>,0.25,1,0.5');
  });
});

describe('texts in HTML', () => {
  test('are escaped', () => {
    expect(escapeHtml(`<a href="x" title='y'>&</a>`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;&lt;/a&gt;');
    expect(html`<p>${'<b>'}${html`<i>${'&'}</i>`}${[html`1`, html`2`]}</p>`.markup).toBe('<p>&lt;b&gt;<i>&amp;</i>12</p>');
  });

  test('in JSON end no script', () => {
    const value = { '</script>': '<!--\u2028\u2029' };
    expect(escapeJson(value)).toBe('{"\\u003c/script>":"\\u003c!--\\u2028\\u2029"}');
    expect(JSON.parse(escapeJson(value))).toEqual(value);
  });

  test('shares have digits that tell', () => {
    expect([0, 0.00004, 0.0004, 0.0123, 0.0996, 0.5].map(percent)).toEqual(['0 %', '< 0.01 %', '0.04 %', '1.2 %', '10 %', '50 %']);
  });
});
