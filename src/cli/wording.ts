/**
 * What the library refuses, in the words of the command line: options by their flags, rows and columns counted from 1, those of a file as
 * they lie there. An InputError says which they are.
 */
import type { Option } from 'commander';
import type { InputError } from '../errors.js';
import { tableWords } from './table-options.js';

/** Options that the library calls otherwise than the command line. */
const otherNames: Record<string, string> = { halfInputs: 'half' };

/** The message of an error, for people who call a command with these options. */
export function inFlags({ message, option, row, column }: InputError, options: readonly Option[]): string {
  const counted = tableWords(countedFromOne(message, { row, column }));
  if (option === undefined) return counted;
  const flagOf = (name: string) => options.find((one) => one.attributeName() === (otherNames[name] ?? name))?.long;
  const flag = flagOf(option);
  // 'labels' may be a word anywhere but where the message starts with its subject; 'labelLayers' is no word.
  const subject = new RegExp(`^(?:The (?:option )?)?'?${option}\\b'?`);
  const worded = counted
    .replace(subject, (name) => flag ?? name)
    .replaceAll(/[Tt]he option '?\b([a-z]+)\b'?/g, (words, name) => flagOf(name) ?? words)
    .replaceAll(/(?:[Tt]he option )?'?\b([a-z]+(?:[A-Z][a-z]+)+)\b'?/g, (words, name) => flagOf(name) ?? words);
  return flag === undefined || worded.includes(flag) ? worded : `${flag}: ${worded}`;
}

/** The message with a place that the library counts from 0 counted from 1. */
function countedFromOne(message: string, { row, column }: Pick<InputError, 'row' | 'column'>): string {
  const place = (first: number) =>
    Object.entries({ row, column })
      .flatMap(([side, at]) => (at === undefined ? [] : `${side} ${at + first}`))
      .join(', ');
  return message.replace(`${place(0)} (counted from 0)`, place(1));
}
