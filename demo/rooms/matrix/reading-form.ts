/** The way in which files are read: the fields that suit the data that are here. */
import type { OptionInfo } from 'orthant';
import { el } from '../../page/dom.js';
import type { Facts } from '../../work/matrix.js';
import type { Reading } from '../../work/matrix-read.js';
import { isTable } from './kinds.js';
import { type OptionField, optionField } from './option-field.js';

export interface ReadingForm {
  element: HTMLElement;
  reading(): Reading;
  refuse(message: string, option: string | undefined): boolean;
  /** Shows the fields of these data. */
  suit(facts: Facts): void;
  /** Shows the fields of a table that was refused, so that it can be read in another way. */
  offer(): void;
  readonly names: readonly string[];
  read(options: URLSearchParams): void;
  address(): Record<string, string | undefined>;
}

type Group = 'matrix' | 'table' | 'pictures' | 'patches' | 'sound';

const options: readonly (OptionInfo & { of: Group })[] = [
  {
    of: 'matrix',
    name: 'samples',
    kind: 'choice',
    values: ['rows', 'columns'],
    help: 'the place of a sample in the file',
    default: 'rows',
  },
  { of: 'table', name: 'header', kind: 'flag', help: 'the first line names the columns', default: 'as it looks' },
  { of: 'table', name: 'names', kind: 'flag', help: 'the first column names the rows', default: 'as it looks' },
  { of: 'table', name: 'delimiter', kind: 'choice', help: 'one character between cells', default: 'as it looks' },
  { of: 'table', name: 'decimal', kind: 'choice', values: ['.', ','], help: 'the mark of decimals', default: 'as it looks' },
  { of: 'table', name: 'missing', kind: 'words', help: 'cells that mean no value, beside empty ones, NA and NaN, such as -999' },
  { of: 'table', name: 'columns', kind: 'words', help: 'columns to read, by name or place, such as 3 or 2-5', default: 'all' },
  { of: 'table', name: 'skipColumns', kind: 'words', help: 'columns to leave out, in the same way' },
  { of: 'table', name: 'encoding', kind: 'choice', help: 'such as latin1', default: 'as it looks' },
  {
    of: 'pictures',
    name: 'side',
    kind: 'positiveInteger',
    help: 'pixels of the longest side; larger pictures are scaled down',
    default: 64,
  },
  { of: 'patches', name: 'patch', kind: 'positiveInteger', help: 'pixels of a side of a patch', default: 8 },
  { of: 'sound', name: 'window', kind: 'positiveInteger', help: 'samples of a window, a power of two', default: 1024 },
  { of: 'sound', name: 'hop', kind: 'positiveInteger', help: 'samples from one window to the next', default: 512 },
];

export function readingForm(readAgain: () => void): ReadingForm {
  const changed = () => {
    again.disabled = false;
  };
  const fields: (OptionField & { of: Group })[] = options.map(({ of, ...option }) => ({ ...optionField(option, changed), of }));
  const again = el('button', { type: 'button', disabled: true, onclick: readAgain }, 'Read again');
  const element = el(
    'details',
    { class: 'reading-form', hidden: true },
    el('summary', {}, 'How it is read'),
    el('div', { class: 'fields' }, ...fields.map((field) => field.element)),
    again,
  );
  let groups: readonly Group[] = ['matrix', 'table', 'pictures', 'patches', 'sound'];
  const showGroups = () => {
    for (const field of fields) field.element.hidden = !groups.includes(field.of);
    element.hidden = groups.length === 0;
  };
  const suiting = () => fields.filter((field) => groups.includes(field.of));

  return {
    element,
    reading() {
      for (const field of fields) field.complain('');
      return Object.fromEntries(suiting().flatMap((field) => (field.value() === undefined ? [] : [[field.name, field.value()]])));
    },
    refuse(message, option) {
      const field = suiting().find(({ name }) => name === option);
      if (!field || element.hidden) return false;
      field.complain(message);
      field.focus();
      return true;
    },
    suit({ kind, patches, fixed, name }) {
      groups =
        kind === 'sound'
          ? ['sound']
          : kind === 'pictures'
            ? [patches ? 'patches' : 'pictures']
            : kind === 'table'
              ? [...(fixed ? [] : (['matrix'] as const)), ...(isTable(name) ? (['table'] as const) : [])]
              : [];
      showGroups();
      if (again === document.activeElement) element.querySelector('summary')?.focus();
      again.disabled = true;
    },
    offer() {
      groups = ['matrix', 'table'];
      showGroups();
      element.open = true;
      again.disabled = false;
    },
    names: options.map(({ name }) => name),
    read(asked) {
      for (const field of fields) {
        const text = asked.get(`read.${field.name}`);
        if (text !== null) field.write(text);
      }
    },
    address: () => Object.fromEntries(fields.map((field) => [`read.${field.name}`, field.text()])),
  };
}
