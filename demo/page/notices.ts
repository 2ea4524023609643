/** What concerns the whole page, above every room. What concerns a file or an option stands beside it. */
import { byId, el } from './dom.js';

const shown = new Map<string, HTMLElement>();

/** Shows a sentence until it is taken back or closed; one with the same key takes its place. */
export function say(key: string, text: string, ...actions: readonly HTMLElement[]): void {
  takeBack(key);
  const close = el('button', { type: 'button', class: 'quiet', 'aria-label': 'Close this message', onclick: () => takeBack(key) }, '×');
  const notice = el('div', { class: 'notice' }, el('p', {}, text), ...actions, close);
  shown.set(key, notice);
  byId('notices').append(notice);
}

export function takeBack(key: string): void {
  const notice = shown.get(key);
  shown.delete(key);
  if (notice?.contains(document.activeElement)) byId('room').focus(); // the focus must not fall to the body
  notice?.remove();
}

/** The first line of an error, which says everything; the rest is for developers. */
export function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0];
}
