/** The search over topics and documents. */
import { el } from '../../page/dom.js';
import { sentenceOf } from '../../page/notices.js';
import { work } from '../../page/session.js';
import { documentItem } from './topic.js';
import type { Place } from './tree.js';

export function searchPart(open: (place: Place) => void): { element: HTMLElement; clear(): void } {
  const input = el('input', { type: 'search', placeholder: 'Search topics and documents', 'aria-label': 'Search topics and documents' });
  const found = el('div', { class: 'found', role: 'region', 'aria-label': 'Found', hidden: true });
  const count = el('p', { class: 'hint', role: 'status' });
  const element = el('form', { class: 'search', role: 'search' }, input, count, found);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  async function find(): Promise<void> {
    clearTimeout(timer);
    const mine = ++asked;
    const query = input.value.trim();
    if (query === '') return clear();
    try {
      const { topics, documents } = await work.topics.search(query);
      if (mine !== asked) return;
      const none = topics.length + documents.length === 0;
      count.textContent = none ? 'Nothing was found.' : `${topics.length} topics, ${documents.length} documents`;
      found.replaceChildren(
        ...(topics.length > 0
          ? [
              el('h3', {}, 'Topics'),
              el(
                'ul',
                { class: 'links' },
                ...topics.map((topic) =>
                  el(
                    'li',
                    {},
                    el('button', { type: 'button', class: 'link', onclick: () => open(topic) }, topic.title),
                    el('small', {}, `level ${topic.layer + 1}`),
                  ),
                ),
              ),
            ]
          : []),
        ...(documents.length > 0
          ? [el('h3', {}, 'Documents'), el('ol', { class: 'document-list' }, ...documents.map((one) => el('li', {}, documentItem(one))))]
          : []),
      );
      found.hidden = none;
    } catch (error) {
      count.textContent = sentenceOf(error);
    }
  }

  function clear(): void {
    asked++;
    input.value = '';
    count.textContent = '';
    found.replaceChildren();
    found.hidden = true;
  }

  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void find(), 200);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') clear();
  });
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    void find();
  });
  return { element, clear };
}
