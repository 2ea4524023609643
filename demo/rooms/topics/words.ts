/** The text options, and what they make of the vocabulary, before anything is learned. */
import { el } from '../../page/dom.js';
import { sentenceOf } from '../../page/notices.js';
import { work } from '../../page/session.js';
import type { Effect, LeftOut } from '../../work/topics/words.js';
import type { TextChoices } from '../../work/topics.js';

export interface WordsPart {
  element: HTMLDetailsElement;
  /** Reads the documents by the options on the screen. Its promise ends when the vocabulary is that of the last change. */
  read(): Promise<void>;
  readonly choices: TextChoices;
  readonly effect: Effect | undefined;
  /** Options with other values than the defaults, for the address. */
  options(): Record<string, string | undefined>;
  take(options: URLSearchParams): void;
}

const languages =
  'ar bg bn ca cs da de el en es et eu fa fi fr gl he hi hr hu hy id it ja ko lt lv nl no pl pt ro ru sk sl sv th tr uk vi zh'.split(' ');
const names = new Intl.DisplayNames('en', { type: 'language' });
const waitMs = 250;
const number = (count: number) => count.toLocaleString('en');

export function wordsPart({ onChange }: { onChange: () => void }): WordsPart {
  const changed = () => {
    onChange();
    clearTimeout(timer);
    timer = setTimeout(() => void part.read(), waitMs);
  };
  const language = el(
    'select',
    { name: 'language', onchange: changed },
    el('option', { value: '' }, 'detect'),
    ...languages
      .map((code) => ({ code, name: names.of(code) ?? code }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ code, name }) => el('option', { value: code }, name)),
  );
  const stopList = el('input', { type: 'checkbox', name: 'stopList', checked: true, onchange: changed });
  const stopWords = el('input', { name: 'stopWords', placeholder: 'figure, table', oninput: changed });
  const ngrams = el(
    'select',
    { name: 'ngrams', onchange: changed },
    ...['single words', 'and pairs', 'and triples'].map((text, i) => el('option', { value: i + 1 }, text)),
  );
  const count = (name: string, placeholder: string, max?: number) =>
    el('input', { type: 'number', name, min: 1, max, step: 1, placeholder, oninput: changed });
  const [minDocuments, maxShare, maxTerms] = [count('minDocuments', '2 %'), count('maxShare', '50', 100), count('maxTerms', '1500')];
  const stem = el('input', { type: 'checkbox', name: 'stem', onchange: changed });
  const complaint = el('p', { class: 'complaint', role: 'alert', hidden: true });
  const result = el('div', { class: 'effect', 'aria-live': 'polite' });
  const summary = el('span', { class: 'summary-fact' });
  const field = (label: string, input: HTMLElement, unit = '') => el('label', {}, el('span', {}, label), input, ...(unit ? [unit] : []));
  const element = el(
    'details',
    { class: 'part words', open: true },
    el('summary', {}, el('h2', {}, 'Words'), summary),
    el(
      'div',
      { class: 'words-body' },
      el(
        'div',
        { class: 'fields' },
        field('Language', language),
        field('Terms', ngrams),
        field('In at least', minDocuments, 'documents'),
        field('In at most', maxShare, '% of them'),
        field('Largest vocabulary', maxTerms, 'terms'),
        field('Leave out, too', stopWords),
        el('label', { class: 'check' }, stopList, 'Leave out the stop words of the language'),
        el('label', { class: 'check' }, stem, 'Cut words down to their stems'),
        complaint,
      ),
      result,
    ),
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  let effect: Effect | undefined;

  const whole = (input: HTMLInputElement) => (input.value === '' ? undefined : input.valueAsNumber);

  const part: WordsPart = {
    element,
    get choices() {
      const share = whole(maxShare);
      return {
        language: language.value || undefined,
        stopList: stopList.checked,
        stopWords: stopWords.value.split(/[\s,]+/).filter(Boolean),
        ngrams: Number(ngrams.value),
        minDocuments: whole(minDocuments),
        maxDocumentFraction: share === undefined ? undefined : share / 100,
        maxTerms: whole(maxTerms),
        stem: stem.checked,
      };
    },
    get effect() {
      return effect;
    },
    async read() {
      clearTimeout(timer);
      const mine = ++last;
      result.setAttribute('aria-busy', 'true');
      let found: Effect | undefined;
      let problem = '';
      try {
        found = await work.topics.readWords(part.choices);
      } catch (error) {
        problem = sentenceOf(error);
      }
      if (mine !== last) return;
      result.removeAttribute('aria-busy');
      complaint.textContent = inPlainWords(problem);
      complaint.hidden = problem === '';
      effect = found;
      summary.textContent = found ? `${number(found.terms)} terms of ${number(found.documents)} documents, ${found.languageName}` : '';
      result.replaceChildren(...(found ? effectOf(found) : []));
      if (found) minDocuments.placeholder = String(found.from);
      onChange();
    },
    options() {
      const { language: code, ngrams: n, minDocuments: from, maxTerms: most } = part.choices;
      const text = (value: number | undefined) => (value === undefined ? undefined : String(value));
      return {
        language: code,
        ngrams: n === 1 ? undefined : String(n),
        min: text(from),
        max: text(whole(maxShare)),
        terms: text(most),
        stop: stopWords.value.trim() || undefined,
        list: stopList.checked ? undefined : 'none',
        stem: stem.checked ? 'yes' : undefined,
      };
    },
    take(options) {
      const set = (input: HTMLInputElement | HTMLSelectElement, name: string, otherwise = '') => {
        input.value = options.get(name) ?? otherwise;
      };
      set(language, 'language');
      set(ngrams, 'ngrams', '1');
      set(minDocuments, 'min');
      set(maxShare, 'max');
      set(maxTerms, 'terms');
      set(stopWords, 'stop');
      if (language.value === '' && options.has('language')) language.value = '';
      stopList.checked = options.get('list') !== 'none';
      stem.checked = options.get('stem') === 'yes';
    },
  };
  return part;
}

/** Options as this page calls them. */
const inPlainWords = (text: string) =>
  text
    .replaceAll(/minDocuments(?: \(\d+\))?/g, '“In at least”')
    .replaceAll(/maxDocumentFraction(?: \([\d.]+\))?/g, '“In at most”')
    .replaceAll('maxTerms', '“Largest vocabulary”');

function effectOf(effect: Effect): HTMLElement[] {
  const { how, languageName, documents, empty, terms, first, from, to, maxTerms, stopWords, rare, frequent, beyond } = effect;
  const fact = (label: string, value: string) => el('div', {}, el('dt', {}, label), el('dd', {}, value));
  const left = (label: string, { count, examples }: LeftOut) =>
    count === 0
      ? []
      : [
          el(
            'li',
            {},
            el('b', {}, number(count)),
            ` ${label}`,
            el('span', { class: 'examples' }, ` ${examples.join(', ')}${count > examples.length ? ', …' : ''}`),
          ),
        ];
  const out = [
    ...left('stop words:', stopWords),
    ...left(`in fewer than ${number(from)} documents:`, rare),
    ...left(`in more than ${number(to)} documents:`, frequent),
    ...left(`beyond the ${number(maxTerms)} heaviest:`, beyond),
  ];
  return [
    el(
      'dl',
      { class: 'facts' },
      fact('Terms', number(terms)),
      fact('Documents', number(documents)),
      fact('Language', how === 'chosen' ? languageName : `${languageName}, ${how}`),
    ),
    el('p', { class: 'terms' }, el('span', { class: 'label' }, 'The heaviest terms'), first.join(' · ')),
    ...(out.length > 0 ? [el('div', { class: 'left-out' }, el('span', { class: 'label' }, 'Left out'), el('ul', {}, ...out))] : []),
    ...(empty.length > 0
      ? [
          el(
            'p',
            { class: 'hint' },
            `${number(empty.length)} ${empty.length === 1 ? 'document has' : 'documents have'} none of the terms: ${empty.slice(0, 4).join(', ')}${empty.length > 4 ? ', …' : ''}.`,
          ),
        ]
      : []),
  ];
}
