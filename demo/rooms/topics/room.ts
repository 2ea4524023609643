import type { Room } from '../../main.js';
import { el } from '../../page/dom.js';

export function room(): Room {
  return { title: 'Topics', element: el('article', {}, el('h1', {}, 'Topics')), enter() {} };
}
