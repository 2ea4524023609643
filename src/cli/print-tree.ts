import type { Topic, TypicalDocument } from '../topics/tree.js';
import { columnsOf, cut, wrap } from './text-width.js';

export interface TreeStyle {
  /** Columns that no line exceeds. */
  width: number;
  /** Which words are shown: the heaviest (default) or the most relevant. */
  words?: 'terms' | 'relevant';
  /** Which sentences of typical documents are shown: none (default), that of the first one in two lines at most, or all. */
  sentences?: 'none' | 'first' | 'all';
}

/** The tree in box-drawing characters: each topic with its share, its part of the topic above, label and words; leaves with documents. */
export function printTree(topics: readonly Topic[], style: TreeStyle): string[] {
  const last = Math.max(...topics.map(({ layer }) => layer));
  const tops = topics.filter(({ layer }) => layer === last);
  const loose = topics.filter(({ layer }) => layer < last);
  const lines = tops.flatMap((topic, i) => [...(i === 0 ? [] : ['']), ...printTopic(topic, '', '', style)]);
  if (loose.length === 0) return lines;
  return [...lines, '', 'in none of these', ...printBranches(loose, '', style)];
}

/** `first` stands before the topic's own first line, `rest` before all that follow. */
function printTopic(topic: Topic, first: string, rest: string, style: TreeStyle): string[] {
  const { children, label, weight } = topic;
  const share = `${percent(topic.share)}  `;
  const trunk = rest + (children.length > 0 ? '│' : ' ') + ' '.repeat(share.length - 1);
  const room = style.width - columnsOf(trunk);
  const part = weight === null ? '' : `  ↑ ${percent(weight).trim()}`;
  const words = topic[style.words ?? 'terms'].map(({ term }) => term).join(', ');
  const below = (texts: string[]) => texts.map((text) => trunk + text);
  const lines = [
    first + share + cut(label, room - part.length) + part,
    ...(words === '' || words === label ? [] : below(wrap(words, room))),
  ];
  if (children.length > 0) return [...lines, ...printBranches(children, rest, style)];
  return [...lines, ...below(printDocuments(topic.documents, room, style.sentences ?? 'none'))];
}

function printDocuments(documents: readonly TypicalDocument[], room: number, sentences: 'none' | 'first' | 'all'): string[] {
  if (documents.length === 0) return [];
  if (sentences === 'all')
    return documents.flatMap(({ name, sentence }) => wrap(`e.g. ${name}${sentence === undefined ? '' : `: “${sentence}”`}`, room));
  const [{ sentence }] = documents;
  const shown = sentences === 'first' && sentence !== undefined ? wrap(`“${cut(sentence, 2 * room - 10)}”`, room) : [];
  return [...wrap(`e.g. ${documents.map(({ name }) => name).join('; ')}`, room), ...shown];
}

function printBranches(topics: readonly Topic[], rest: string, style: TreeStyle): string[] {
  return topics.flatMap((topic, i) =>
    i < topics.length - 1 ? printTopic(topic, `${rest}├─ `, `${rest}│  `, style) : printTopic(topic, `${rest}└─ `, `${rest}   `, style),
  );
}

/** A share in whole percent, at least four columns. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(0).padStart(2)} %`;
}
