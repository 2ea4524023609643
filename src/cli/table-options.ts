/** The options of tables of text as flags, and what the reader says of a table in the words of the command line. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { TableOptions } from '../formats/table-options.js';
import { parseWords } from './arguments.js';

/** Delimiters that a shell makes hard to type. */
const delimiters: Record<string, string> = {
  comma: ',',
  semicolon: ';',
  tab: '\t',
  '\\t': '\t',
  blank: ' ',
  blanks: ' ',
  space: ' ',
  pipe: '|',
};

function parseDelimiter(text: string): string {
  const delimiter = delimiters[text.toLowerCase()] ?? text;
  if (delimiter.length !== 1) throw new InvalidArgumentError('It must be one character, or comma, semicolon, tab, blanks or pipe.');
  return delimiter;
}

/** Of every command that reads matrices; they hold for all of its tables. */
export function addTableOptions(command: Command): Command {
  const options = [
    new Option('--header', 'the first line names the columns'),
    new Option('--no-header', 'the first line is data'),
    new Option('--names', 'the first column names the rows'),
    new Option('--no-names', 'the first column is data'),
    new Option('--delimiter <c>', 'what stands between cells: a character, or tab, blanks, …').argParser(parseDelimiter),
    new Option('--decimal <mark>', 'the mark of decimals').choices(['.', ',']),
    new Option('--missing <list>', 'cells without a value, such as -999, beside empty ones, NA, NaN and null').argParser(parseWords),
    new Option('--columns <list>', 'the columns to read: names, or places from 1 on, such as 2-5,8').argParser(parseWords),
    new Option('--skip-columns <list>', 'columns to leave out, in the same way').argParser(parseWords),
    new Option('--encoding <name>', 'the encoding of the text, such as latin1'),
  ];
  for (const option of options) command.addOption(option.helpGroup('Tables of text, where the reader does not see it by itself:'));
  return command;
}

/** Those that were given, by the names of the library. */
export function tableOptionsOf(given: TableOptions): TableOptions {
  const { header, names, delimiter, decimal, missing, columns, skipColumns, encoding } = given;
  const all = { header, names, delimiter, decimal, missing, columns, skipColumns, encoding };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** A sentence on a table, with flags for the options of the library. */
export function tableWords(sentence: string): string {
  return sentence
    .replaceAll(/\b(header|names): (true|false)\b/g, (_, option, on) => `--${on === 'true' ? '' : 'no-'}${option}`)
    .replaceAll(/\bgive (decimal|encoding) '/g, "give --$1 '")
    .replaceAll(/\b(?:with )?skipColumns "/g, '--skip-columns "')
    .replaceAll(/\bskipColumns\b/g, '--skip-columns')
    .replace('list it in missing if', 'list it in --missing if')
    .replace('give the delimiter if need be', 'give --delimiter if need be')
    .replace('or give its encoding', 'or give --encoding')
    .replace('give its encoding', 'give --encoding')
    .replace(/; columns and --skip-columns choose none/, '; --columns and --skip-columns choose none');
}
