import type { Topic } from '../topics/tree.js';

/** The tree in box-drawing characters, no line wider than `width` columns: each topic with its share and words, leaves with documents. */
export function printTree(topics: readonly Topic[], width: number): string[] {
  const last = Math.max(...topics.map(({ layer }) => layer));
  const tops = topics.filter(({ layer }) => layer === last);
  const loose = topics.filter(({ layer }) => layer < last);
  const lines = tops.flatMap((topic, i) => [...(i === 0 ? [] : ['']), ...printTopic(topic, '', '', width)]);
  if (loose.length === 0) return lines;
  return [...lines, '', 'in none of these', ...printBranches(loose, '', width)];
}

/** `first` stands before the topic's own first line, `rest` before all that follow. */
function printTopic(topic: Topic, first: string, rest: string, width: number): string[] {
  const { children } = topic;
  const share = `${(100 * topic.share).toFixed(0).padStart(2)} %  `;
  const hang = ' '.repeat(share.length);
  const trunk = rest + (children.length > 0 ? '│' : ' ') + hang.slice(1);
  const words = topic.terms.map(({ term }) => term).join(', ') || '(empty)';
  const lines = wrap(words, width - trunk.length).map((line, i) => (i === 0 ? first + share : trunk) + line);
  if (children.length > 0) return [...lines, ...printBranches(children, rest, width)];
  const documents = topic.documents.map(({ name }) => name).join('; ');
  return documents === '' ? lines : [...lines, ...wrap(`e.g. ${documents}`, width - trunk.length).map((line) => trunk + line)];
}

function printBranches(topics: readonly Topic[], rest: string, width: number): string[] {
  return topics.flatMap((topic, i) =>
    i < topics.length - 1 ? printTopic(topic, `${rest}├─ `, `${rest}│  `, width) : printTopic(topic, `${rest}└─ `, `${rest}   `, width),
  );
}

/** Breaks at spaces; a word that is too long for a line is cut. */
function wrap(text: string, width: number): string[] {
  const room = Math.max(width, 20);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || columns(longer) <= room) {
      line = longer;
      continue;
    }
    lines.push(cut(line, room));
    line = word;
  }
  return [...lines, cut(line, room)];
}

function cut(text: string, room: number): string {
  if (columns(text) <= room) return text;
  let kept = '';
  for (const character of text) {
    if (columns(kept + character) > room - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Columns on a terminal: East Asian characters take two, combining marks none. */
function columns(text: string): number {
  let count = 0;
  for (const character of text) count += wide.test(character) ? 2 : mark.test(character) ? 0 : 1;
  return count;
}

const wide = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u3000-\u303f\uff01-\uff60]/u;
const mark = /\p{M}/u;
