/** One topic: its words, documents, parents and children, its course; and what can be done with it. */
import { el } from '../../page/dom.js';
import { sentenceOf } from '../../page/notices.js';
import { work } from '../../page/session.js';
import type { Segment } from '../../work/topics/marks.js';
import type { Course, Link, ShownDocument, TopicView } from '../../work/topics/tree.js';
import { finePercent, type Place, percent } from './tree.js';

export interface TopicPart {
  element: HTMLElement;
  show(place: Place | undefined): Promise<void>;
  /** Whether factors and names may be changed: not while they learn, for another restart may become the best. */
  enable(idle: boolean): void;
}

export interface TopicActions {
  open(place: Place): void;
  rename(place: Place, name: string): Promise<void>;
  divide(place: Place, count: number): void;
  merge(place: Place, other: number): void;
}

/** In a narrow window parts are folded, and fewer words are shown. */
const narrow = () => innerWidth <= 720;

export function topicPart(actions: TopicActions): TopicPart {
  const element = el('section', { class: 'topic', tabindex: -1, 'aria-label': 'The chosen topic' }, hint());
  let shown: TopicView | undefined;
  let idle = true;
  let lambda = 0.6;
  let asked = 0;
  let changes: HTMLElement[] = [];

  async function show(place: Place | undefined): Promise<void> {
    const mine = ++asked;
    if (!place) {
      shown = undefined;
      element.replaceChildren(hint());
      return;
    }
    try {
      const view = await work.topics.topicAt(place.layer, place.index);
      if (mine !== asked) return;
      const hadFocus = element.contains(document.activeElement);
      const same = shown?.layer === view.layer && shown.index === view.index;
      shown = view;
      draw(view);
      if (hadFocus) element.focus({ preventScroll: same });
    } catch {
      if (mine === asked) element.replaceChildren(hint()); // the tree has changed meanwhile
    }
  }

  function draw(view: TopicView): void {
    const body = el('tbody');
    const slider = el('input', { type: 'range', min: 0, max: 1, step: 0.05, value: lambda, 'aria-describedby': 'relevance-hint' });
    const output = el('output', {}, lambda.toFixed(2));
    let drawing = 0;
    const drawWords = async () => {
      const mine = ++drawing;
      const words = await work.topics.wordsAt(view.layer, view.index, lambda, narrow() ? 7 : 20);
      if (mine !== drawing) return;
      const most = Math.max(...words.flatMap(({ weight, overall }) => [weight, overall]), Number.MIN_VALUE);
      const bar = (kind: string, value: number) => {
        const filled = el('i', { class: kind });
        filled.style.width = `${(100 * value) / most}%`;
        return el('td', {}, el('span', { class: 'measure' }, filled), el('span', { class: 'value' }, finePercent(value)));
      };
      body.replaceChildren(
        ...words.map(({ term, weight, overall }) =>
          el('tr', {}, el('th', { scope: 'row' }, term), bar('own', weight), bar('all', overall)),
        ),
      );
    };
    slider.addEventListener('input', () => {
      lambda = slider.valueAsNumber;
      output.textContent = lambda.toFixed(2);
      void drawWords().catch(() => {}); // the tree has changed meanwhile
    });
    void drawWords().catch(() => {});
    const tools = toolsOf(view);
    element.replaceChildren(
      titleOf(view),
      el('p', { class: 'hint' }, `Level ${view.layer + 1}. ${percent(view.share)} of the texts at this level.`),
      el(
        'div',
        { class: 'topic-body' },
        fold(
          'Words',
          true,
          el(
            'div',
            { class: 'slider' },
            el('label', {}, 'Relevance λ ', slider),
            output,
            el('p', { class: 'hint', id: 'relevance-hint' }, '1: the heaviest words. 0: those that the topic has more of than the texts.'),
          ),
          el(
            'table',
            { class: 'word-table' },
            el('thead', {}, el('tr', {}, ...['word', 'in the topic', 'in all texts'].map((text) => el('th', { scope: 'col' }, text)))),
            body,
          ),
        ),
        el(
          'div',
          { class: 'topic-rest' },
          ...view.courses.map(courseOf),
          ...linksOf('Parents', 'The levels above: the part of this topic that goes into each', view.parents, actions.open),
          ...linksOf('Children', 'The level below: the part of this topic that comes from each', view.children, actions.open),
          ...tools,
        ),
      ),
      ...documentsOf(view),
    );
    changes = [...element.querySelectorAll<HTMLElement>('.change :is(button, input, select), .heading button')];
    enable(idle);
  }

  function titleOf(view: TopicView): HTMLElement {
    const heading = el('h2', {}, view.title);
    const input = el('input', {
      value: view.title === view.label ? '' : view.title,
      placeholder: view.label,
      'aria-label': 'Name of this topic',
      maxlength: 80,
    });
    const form = el(
      'form',
      { class: 'rename', hidden: true },
      input,
      el('button', { type: 'submit' }, 'Save'),
      el('button', { type: 'button', class: 'quiet', onclick: () => close() }, 'Cancel'),
    );
    const button = el('button', { type: 'button', class: 'quiet', onclick: () => open() }, 'Rename');
    const open = () => {
      [form.hidden, heading.hidden, button.hidden] = [false, true, true];
      input.focus();
      input.select();
    };
    const close = () => {
      [form.hidden, heading.hidden, button.hidden] = [true, false, false];
      button.focus();
    };
    form.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') close();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void actions.rename(view, input.value).then(() => element.querySelector<HTMLElement>('.heading button')?.focus());
    });
    return el('div', { class: 'heading' }, heading, form, button);
  }

  function toolsOf(view: TopicView): HTMLElement[] {
    const count = el('input', { type: 'number', min: 2, max: 12, value: 3, 'aria-label': 'Number of parts' });
    const other = el(
      'select',
      { 'aria-label': 'The topic to merge with' },
      ...view.siblings.map(({ index, title }) => el('option', { value: index }, title)),
    );
    const divide = () => {
      if (count.checkValidity()) actions.divide(view, count.valueAsNumber);
      else count.reportValidity();
    };
    return [
      fold(
        'Change',
        !narrow(),
        view.divisible
          ? el(
              'div',
              { class: 'controls' },
              el('button', { type: 'button', onclick: divide }, 'Divide'),
              el('label', {}, 'into ', count, ' topics'),
            )
          : el('p', { class: 'hint' }, 'It is divided already; divide one of its topics below.'),
        ...(view.siblings.length > 0
          ? [
              el(
                'div',
                { class: 'controls' },
                el('button', { type: 'button', onclick: () => actions.merge(view, Number(other.value)) }, 'Merge'),
                el('label', {}, 'with ', other),
                el('span', { class: 'hint' }, 'and go on learning'),
              ),
            ]
          : []),
      ),
    ];
  }

  function documentsOf(view: TopicView): HTMLElement[] {
    if (view.documents.length === 0) return [];
    return [
      fold(
        'Typical documents',
        !narrow(),
        el('ol', { class: 'document-list' }, ...view.documents.map((document) => el('li', {}, documentItem(document, view)))),
      ),
    ];
  }

  function enable(now: boolean): void {
    idle = now;
    // A button that is switched off loses the focus, which would fall to the body.
    if (!idle && changes.some((one) => one === document.activeElement)) element.focus({ preventScroll: true });
    for (const one of changes) (one as HTMLButtonElement).disabled = !idle;
  }

  return { element, show, enable };
}

const hint = () => el('p', { class: 'hint' }, 'Choose a topic to see its words, its documents and its place in the tree.');

/** A part that can be folded; in a narrow window most are at first. */
function fold(title: string, open: boolean, ...children: readonly (Node | string)[]): HTMLDetailsElement {
  return el(
    'details',
    { class: `fold ${title.toLowerCase().replaceAll(' ', '-')}`, open },
    el('summary', {}, el('h3', {}, title)),
    el('div', { class: 'fold-body' }, ...children),
  );
}

/** A document; opened, it shows its text with the words of the topic marked. */
export function documentItem({ index, name, weight, date, label, excerpt }: ShownDocument, topic?: Place): HTMLElement {
  const text = el('p', { class: 'document-text' });
  const facts = [date, label, topic ? `${finePercent(weight)} of the topic` : undefined].filter(
    (fact) => fact !== undefined && fact !== name,
  );
  const details = el(
    'details',
    {
      ontoggle: () => {
        if (!details.open || text.childNodes.length > 0) return;
        const { layer, index: at } = topic ?? { layer: -1, index: -1 };
        work.topics
          .documentAt(index, layer, at)
          .then((segments) =>
            text.replaceChildren(
              ...(segments.length > 0 ? marked(segments) : ['The text is not at hand: this model was opened without its documents.']),
            ),
          )
          .catch((error: unknown) => text.replaceChildren(sentenceOf(error)));
      },
    },
    el('summary', {}, el('b', {}, name), ' ', el('small', {}, facts.join(', '))),
    text,
  );
  return el('div', { class: 'document' }, details, ...(excerpt.length > 0 ? [el('p', { class: 'excerpt' }, ...marked(excerpt))] : []));
}

export const marked = (segments: readonly Segment[]) =>
  segments.map(({ text, marked: isMarked }) => (isMarked ? el('mark', {}, text) : text));

function linksOf(title: string, meaning: string, links: readonly Link[], open: (place: Place) => void): HTMLElement[] {
  if (links.length === 0) return [];
  return [
    fold(
      title,
      !narrow(),
      el(
        'ul',
        { class: 'links', 'aria-label': meaning },
        ...links.slice(0, 8).map((link) => {
          const bar = el('i', { class: `level-${Math.min(link.layer, 4)}` });
          bar.style.width = `${100 * link.weight}%`;
          return el(
            'li',
            {},
            el('button', { type: 'button', class: 'link', onclick: () => open(link) }, link.title),
            el('span', { class: 'measure', 'aria-hidden': 'true' }, bar),
            el('span', { class: 'value' }, percent(link.weight)),
          );
        }),
      ),
    ),
  ];
}

/** The share of a topic in each group of documents: bars in the order of time, or of labels. */
function courseOf({ field, groups }: Course): HTMLElement {
  const most = Math.max(...groups.map(({ share }) => share), Number.MIN_VALUE);
  const said = groups.map(({ name, share }) => `${name} ${percent(share)}`).join(', ');
  const largest = groups.find(({ share }) => share === most);
  const value = el('span', { class: 'value' }, largest ? `most in ${largest.name}: ${percent(most)}` : '');
  const bars = groups.map(({ name, documents, share }) => {
    const bar = el('i', {});
    bar.style.height = `${Math.max(1, (100 * share) / most)}%`;
    const tell = () => {
      value.textContent = `${name}: ${percent(share)} of ${documents} ${documents === 1 ? 'document' : 'documents'}`;
    };
    return el('span', { class: 'course-bar', onpointerenter: tell, title: `${name}: ${percent(share)}` }, bar);
  });
  const [first, last] = [groups[0].name, groups.at(-1)!.name];
  return fold(
    field === 'date' ? 'Over time' : 'By label',
    !narrow(),
    el('p', { class: 'course-value', 'aria-hidden': 'true' }, value),
    el('div', { class: 'course-bars', role: 'img', 'aria-label': `Share by ${field}: ${said}` }, ...bars),
    el(
      'div',
      { class: 'course-ends', 'aria-hidden': 'true' },
      ...(groups.length <= 4 ? groups.map(({ name }) => el('span', {}, name)) : [el('span', {}, first), el('span', {}, last)]),
    ),
  );
}
