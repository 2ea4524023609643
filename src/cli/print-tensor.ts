/** What a fit of a tensor found, in lines for people. */
import type { TensorLevel } from '../methods/tensor-levels.js';
import { tensorErrorRows } from '../report/numbers.js';
import type { TensorFlow, TensorTopics, tensorNames } from '../topics/tensor.js';
import { alignColumns } from './columns.js';
import { blocks, cell } from './print-topics.js';
import { percent } from './print-tree.js';
import { padded, wrap } from './text-width.js';

type Names = ReturnType<typeof tensorNames>;

/** Errors beside their bounds, one line a level; with short headings where there are few columns. */
export function levelTable(levels: readonly TensorLevel[], columns = Number.POSITIVE_INFINITY): string[] {
  const wide = ['level', 'rank', 'relative error', 'Tucker error', 'mode bound', 'error ÷ Tucker'];
  const headings = wide.join('  ').length > columns ? ['level', 'rank', 'error', 'Tucker', 'bound', 'ratio'] : wide;
  return alignColumns(
    [headings, ...tensorErrorRows(levels)],
    headings.map(() => 'right'),
  );
}

/** The topics of every level, the last one first, with their entries in every mode; then what they are made of. */
export function printTensorTopics({ levels, flows }: TensorTopics, names: Names, width: number): string[] {
  const all = levels.map((_, l) => levels.length - 1 - l);
  return [
    ...all.flatMap((l) => [...printLevel(levels[l], l, names, width), '']),
    ...flows
      .filter(({ of }) => of > 0)
      .reverse()
      .flatMap((flow) => [...flowLines(flow, names, width), '']),
    ...flows.filter(({ of }) => of === 0).flatMap((flow) => [...flowLines(flow, names, width), '']),
  ];
}

function printLevel({ topics, joined }: TensorTopics['levels'][number], l: number, names: Names, width: number): string[] {
  const modes = topics[0].modes.map(({ mode }) => names.mode(mode));
  const room = Math.max(...modes.map((name) => name.length));
  const title =
    l === 0
      ? `level 0: ${topics.length} outer ${topics.length === 1 ? 'product' : 'products'}`
      : `level ${l}: ${topics.length} ${topics.length === 1 ? 'topic' : 'topics'} of each mode`;
  const apart = l > 0 && joined < 0.995 ? `; ${percent(joined).trim()} of it joins topics of the same number in all modes` : '';
  return [
    ...wrap(title + apart, width),
    ...topics.flatMap(({ index, modes: own }) => [
      `${l === 0 ? 'product' : 'topic'} ${index}`,
      ...own.flatMap(({ share, entries }, m) => {
        const head = `  ${padded(modes[m], room)}  ${percent(share)}  `;
        const text =
          entries.map((entry) => `${names.entry(own[m].mode, entry.index)} ${percent(entry.share).trim()}`).join(', ') || '(empty)';
        return wrap(text, width - head.length).map((line, i) => (i === 0 ? head : ' '.repeat(head.length)) + line);
      }),
    ]),
  ];
}

/** In each row the parts of one topic. */
function flowLines({ of, from, mode, shares }: TensorFlow, names: Names, width: number): string[] {
  const title =
    of === 0
      ? `Outer products by the topics of level ${from} that are in them, in percent, ${names.mode(mode)}:`
      : `Topics of level ${of} by those of level ${from} that make them up, in percent, ${names.mode(mode)}:`;
  const rows = shares.map((row, j) => [`${of === 0 ? 'product' : 'topic'} ${j}`, ...row.map(cell)]);
  return [...wrap(title, width), ...blocks(['', ...shares[0].map((_, i) => `${i}`)], rows, width)];
}
