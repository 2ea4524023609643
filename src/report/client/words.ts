/** The chosen part: its words in the order that λ gives them, and the samples with most of it. */

import { relevance } from '../../topics/relevance.js';
import { percent } from '../numbers.js';
import { wordsShown } from '../slider.js';
import type { ReportData, ReportTopic } from '../types.js';
import type { ReportWord } from '../words.js';
import { byId, element, setProperties } from './dom.js';

/** Connects the slider; the function that is returned shows a part. */
export function wordsPanel({ nouns }: ReportData): (topic: ReportTopic) => void {
  const [slider, output, head, body] = [byId<HTMLInputElement>('lambda'), byId('lambda-value'), byId('part'), byId('words')];
  let shown: ReportTopic | undefined;
  const draw = () => {
    if (!shown || !slider || !output || !head || !body) return;
    const lambda = Number(slider.value);
    output.textContent = lambda.toFixed(2);
    const { title, layer, share, weight, words, documents } = shown;
    const parts = [`${percent(share)} of layer ${layer}`, ...(weight === null ? [] : [`${percent(weight)} of the ${nouns.part} above`])];
    head.replaceChildren(element('h3', '', title), element('p', 'hint', parts.join(', ')));
    const ordered = words
      .filter((word) => relevance(word.share, word.corpus, lambda) > Number.NEGATIVE_INFINITY)
      .sort((a, b) => relevance(b.share, b.corpus, lambda) - relevance(a.share, a.corpus, lambda))
      .slice(0, wordsShown);
    body.replaceChildren(wordTable(ordered, nouns.feature, nouns.part), sampleList(documents, nouns.sample, nouns.part));
  };
  slider?.addEventListener('input', draw);
  return (topic) => {
    shown = topic;
    draw();
  };
}

function wordTable(words: readonly ReportWord[], feature: string, part: string): HTMLElement {
  const most = Math.max(...words.flatMap(({ share, corpus }) => [share, corpus]), Number.MIN_VALUE);
  const bar = (kind: string, value: number) => {
    const filled = element('i', kind);
    setProperties(filled, { size: value / most });
    return element('td', 'bar', filled, element('span', '', percent(value)));
  };
  const rows = words.map(({ term, share, corpus }) => {
    const name = element('th', 'term', term);
    name.scope = 'row';
    const times = corpus > 0 ? `${(share / corpus).toPrecision(2)}` : '–';
    return element(
      'tr',
      '',
      name,
      bar('own', share),
      bar('all', corpus),
      element('td', 'number', times.includes('e') ? String(Number(times)) : times),
    );
  });
  const headings = [feature, `share in this ${part}`, 'share in the data', 'quotient'].map((text) => {
    const heading = element('th', '', text);
    heading.scope = 'col';
    return heading;
  });
  return element(
    'div',
    'scroll',
    element('table', 'words', element('thead', '', element('tr', '', ...headings)), element('tbody', '', ...rows)),
  );
}

function sampleList(samples: ReportTopic['documents'], sample: string, part: string): HTMLElement {
  const items = samples.map(({ name, weight, sentence }) => {
    const quote = sentence === undefined ? [] : [element('q', '', sentence)];
    return element('li', '', element('span', 'term', name), ' ', element('small', '', percent(weight)), ...quote);
  });
  return element('div', 'samples', element('h4', '', `${sample}s with most of this ${part}`), element('ol', '', ...items));
}
