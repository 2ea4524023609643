/** The tree of topics: rows that open and close, walked by arrow keys. It is drawn again and again while it learns. */
import { el } from '../../page/dom.js';
import type { DrawnTopic } from '../../work/topics/tree.js';
import type { Drawn } from '../../work/topics.js';

export interface Place {
  layer: number;
  index: number;
}

export interface TreePart {
  element: HTMLElement;
  show(drawn: Drawn): void;
  select(place: Place | undefined): void;
  readonly selected: Place | undefined;
  /** Sets the focus to the topic that is selected, or to the first. */
  focus(): void;
}

interface Row {
  topic: DrawnTopic;
  parent?: string;
  element: HTMLElement;
  title: HTMLElement;
  words: HTMLElement;
  bar: HTMLElement;
  share: HTMLElement;
}

const keyOf = ({ layer, index }: Place) => `${layer}:${index}`;
/** Two digits, so that words of a large topic differ. */
export const finePercent = (share: number) => `${Number((100 * share).toPrecision(2))} %`;
export const percent = (share: number) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

export function treePart(onSelect: (place: Place) => void): TreePart {
  const element = el('div', { class: 'tree', role: 'tree', 'aria-label': 'Topics' });
  const rows = new Map<string, Row>();
  const closed = new Set<string>();
  let shape = '';
  let topics: DrawnTopic[] = [];
  let selected: string | undefined;
  let active: string | undefined; // the row with the tabindex

  element.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !active) return;
    const shown = [...rows.keys()];
    const at = shown.indexOf(active);
    const { topic, parent } = rows.get(active)!;
    const open = topic.children.length > 0 && !closed.has(active);
    const go = (to: string | undefined) => {
      if (to === undefined) return;
      choose(to);
      rows.get(to)?.element.focus();
    };
    if (event.key === 'ArrowDown') go(shown[at + 1]);
    else if (event.key === 'ArrowUp') go(shown[at - 1]);
    else if (event.key === 'Home') go(shown[0]);
    else if (event.key === 'End') go(shown.at(-1));
    else if (event.key === 'ArrowRight' && open) go(shown[at + 1]);
    else if (event.key === 'ArrowRight' && topic.children.length > 0) toggle(active);
    else if (event.key === 'ArrowLeft' && open) toggle(active);
    else if (event.key === 'ArrowLeft') go(parent);
    else if (event.key === 'Enter' || event.key === ' ') choose(active);
    else return;
    event.preventDefault();
  });

  function choose(place: string): void {
    mark(place);
    onSelect(rows.get(place)!.topic);
  }

  function mark(place: string | undefined): void {
    selected = place;
    if (place !== undefined && rows.has(place)) active = place;
    for (const [one, { element: row }] of rows) {
      row.setAttribute('aria-selected', String(one === selected));
      row.tabIndex = one === active ? 0 : -1;
    }
  }

  function toggle(place: string): void {
    if (closed.has(place)) closed.delete(place);
    else closed.add(place);
    shape = '';
    draw();
  }

  /** What the rows are: only where it changes they are made anew. */
  const shapeOf = (list: readonly DrawnTopic[]): string =>
    list
      .map(
        (topic) => `${keyOf(topic)}${topic.children.length > 0 ? (closed.has(keyOf(topic)) ? '[+]' : `[${shapeOf(topic.children)}]`) : ''}`,
      )
      .join(' ');

  function draw(): void {
    const next = shapeOf(topics);
    if (next !== shape) {
      shape = next;
      const focused = element.contains(document.activeElement);
      rows.clear();
      add(topics, 1, undefined);
      element.replaceChildren(...[...rows.values()].map((row) => row.element));
      if (active === undefined || !rows.has(active)) active = rows.keys().next().value;
      mark(selected);
      if (focused && active) rows.get(active)!.element.focus();
    }
    fill(topics);
  }

  function add(list: readonly DrawnTopic[], level: number, parent: string | undefined): void {
    list.forEach((topic, i) => {
      const place = keyOf(topic);
      const hasChildren = topic.children.length > 0;
      const twist = el(
        'span',
        {
          class: hasChildren ? 'twist' : 'twist none',
          'aria-hidden': 'true',
          onclick: (event) => {
            if (!hasChildren) return;
            event.stopPropagation();
            toggle(place);
          },
        },
        hasChildren ? '›' : '',
      );
      const [title, words, bar, share] = [
        el('span', { class: 'title' }),
        el('span', { class: 'row-words' }),
        el('i', {}),
        el('span', { class: 'share' }),
      ];
      const row = el(
        'div',
        {
          class: `row level-${Math.min(topic.layer, 4)}`,
          role: 'treeitem',
          'aria-level': level,
          'aria-posinset': i + 1,
          'aria-setsize': list.length,
          'aria-expanded': hasChildren ? String(!closed.has(place)) : undefined,
          onclick: () => choose(place),
        },
        twist,
        el('span', { class: 'text' }, title, words),
        el('span', { class: 'measure', 'aria-hidden': 'true' }, bar),
        share,
      );
      row.style.setProperty('--depth', String(level - 1));
      rows.set(place, { topic, parent, element: row, title, words, bar, share });
      if (!closed.has(place)) add(topic.children, level + 1, place);
    });
  }

  function fill(list: readonly DrawnTopic[]): void {
    for (const topic of list) {
      const row = rows.get(keyOf(topic));
      if (!row) continue;
      row.topic = topic;
      const inTitle = new Set(topic.named ? [] : topic.title.split(' · '));
      set(row.title, topic.title);
      set(row.words, topic.words.filter((word) => !inTitle.has(word)).join(' '));
      set(row.share, percent(topic.share));
      row.bar.style.width = `${Math.min(100, 100 * topic.share)}%`;
      fill(topic.children);
    }
  }

  return {
    element,
    show(drawn) {
      topics = drawn.topics;
      draw();
    },
    select(place) {
      mark(place && keyOf(place));
    },
    get selected() {
      return selected === undefined ? undefined : rows.get(selected)?.topic;
    },
    focus() {
      if (active) rows.get(active)?.element.focus();
    },
  };
}

function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
