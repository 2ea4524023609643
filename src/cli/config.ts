/** The option --config: a JSON file whose fields are options of the command. They become flags, which are parsed and checked like others. */
import type { Command, Option } from 'commander';
import { nearestOf } from '../data/names.js';
import { describe, quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import { decodeText } from '../formats/file-format.js';
import { readBytes } from '../node/files.js';

/** Options that may be given more than once; a list of another option is one value with commas. */
const repeatable = ['problem', 'seedTopic', 'entries'];

/** Whether a list is the option given so many times. The ranks of a sweep are lists, and those of a fit one. */
const isRepeatable = (option: Option, command: Command) =>
  repeatable.includes(option.attributeName()) || (command.name() === 'sweep' && option.attributeName() === 'ranks');

/**
 * The words with the fields of the file of --config in front, as flags, but for those that the words give themselves.
 *
 * @throws InputError for a flag that the command does not have, which is likelier the cause of trouble than an option that is missing; and for
 * a file that cannot be read, or whose fields are no options.
 */
export async function withConfig(program: Command, argv: readonly string[]): Promise<string[]> {
  const command = program.commands.find((one) => one.name() === argv[0]);
  if (!command) return [...argv];
  const { path, given, others, unknown } = optionsIn(command, argv.slice(1));
  if (unknown !== undefined) throw unknownOption(unknown, command);
  if (path === undefined) return [...argv];
  const fields = fieldsOf(decodeText(await readBytes(path), path), path, command);
  const flags = fields.flatMap(({ option, words }) => (given.has(option.attributeName()) ? [] : words));
  return [argv[0], ...flags, ...others];
}

interface GivenOptions {
  /** The value of --config. */
  path?: string;
  /** Names of the options that are there. */
  given: Set<string>;
  /** The words without --config and its value. */
  others: string[];
  /** The first flag that is none of the command. */
  unknown?: string;
}

function optionsIn(command: Command, argv: readonly string[]): GivenOptions {
  const given = new Set<string>();
  const others: string[] = [];
  let path: string | undefined;
  let unknown: string | undefined;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at];
    if (word === '--') {
      others.push(...argv.slice(at));
      break;
    }
    const [flag, inWord] = word.startsWith('--') && word.includes('=') ? splitAtFirst(word, '=') : [word];
    const option = command.options.find(({ long, short }) => flag === long || flag === short);
    const valueFollows = option?.required && inWord === undefined;
    if (option?.attributeName() === 'config' && (inWord ?? argv[at + 1]) !== undefined) {
      if (path !== undefined) throw new InputError('--config is given twice; give one file.');
      path = inWord ?? argv[at + 1];
    } else others.push(...argv.slice(at, at + (valueFollows ? 2 : 1)));
    if (option) given.add(option.attributeName());
    else if (flag === '-h' || flag === '--help') return { given, others: ['--help'] };
    else if (flag.startsWith('--')) unknown ??= flag;
    if (valueFollows) at++;
  }
  return { path, given, others, unknown };
}

function unknownOption(flag: string, command: Command): InputError {
  const flags = command.options.flatMap(({ long, hidden }) => (hidden || !long ? [] : [long]));
  const nearest = nearestOf(flag, flags);
  const hint = nearest === undefined ? '.' : ` (Did you mean ${nearest}?)`;
  return new InputError(`unknown option '${flag}'${hint} See orthant ${command.name()} --help.`);
}

function splitAtFirst(word: string, mark: string): [string, string] {
  const at = word.indexOf(mark);
  return [word.slice(0, at), word.slice(at + 1)];
}

interface Field {
  option: Option;
  /** As the command line would have it. */
  words: string[];
}

function fieldsOf(text: string, path: string, command: Command): Field[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path} is not JSON: ${(error as Error).message}.`, { cause: error });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new InputError(`${path} must hold an object whose fields are options, such as { "ranks": [9, 4] }.`);
  const seen = new Map<string, string>();
  return Object.entries(content).map(([name, value]) => {
    const option = optionOf(name, path, command);
    const before = seen.get(option.attributeName());
    if (before !== undefined) throw new InputError(`${path} has ${quoted(before)} and ${quoted(name)}, which are one option; give one.`);
    seen.set(option.attributeName(), name);
    return { option, words: wordsOf(option, value, name, path, command) };
  });
}

/** The option of a field, which is its name in the library (maxIterations) or its flag without dashes in front (max-iterations). */
function optionOf(name: string, path: string, command: Command): Option {
  const options = command.options.filter((option) => !option.hidden && option.attributeName() !== 'config');
  const option = options.find((one) => one.long === `--${name}`) ?? options.find((one) => one.attributeName() === name);
  if (option) return option;
  const known = [...new Set(options.flatMap((one) => [one.attributeName(), one.long!.slice(2)]))];
  const nearest = nearestOf(name, known);
  const hint = nearest === undefined ? `See orthant ${command.name()} --help.` : `Did you mean ${quoted(nearest)}?`;
  throw new InputError(`${path}: orthant ${command.name()} has no option ${quoted(name)}. ${hint}`);
}

function wordsOf(option: Option, value: unknown, name: string, path: string, command: Command): string[] {
  const where = `${path}: ${quoted(name)}`;
  if (!option.required) return switchOf(option, value, name, where, command);
  const parts = Array.isArray(value) ? value : [value];
  if (parts.length === 0) throw new InputError(`${where} is an empty list; leave the field out.`);
  for (const part of parts)
    if (typeof part !== 'string' && typeof part !== 'number')
      throw new InputError(`${where} must be a text, a number or a list of these, not ${describe(part)}.`);
  if (isRepeatable(option, command)) return parts.map((part) => `${option.long}=${part}`);
  const withComma = Array.isArray(value) ? parts.find((part) => String(part).includes(',')) : undefined;
  if (withComma !== undefined)
    throw new InputError(`${where}: ${quoted(String(withComma))} has a comma, which parts the values of a list.`);
  return [`${option.long}=${parts.join(',')}`];
}

/** The flag of an option without a value; none where the option is so without one. */
function switchOf({ long, negate }: Option, value: unknown, name: string, where: string, command: Command): string[] {
  if (typeof value !== 'boolean') throw new InputError(`${where} must be true or false, not ${describe(value)}.`);
  const flag = long!.replace(/^--(no-)?/, '--');
  // Of --no-svd-bound the field 'svdBound' says what is wanted, and the field 'no-svd-bound' what is not.
  const on = negate && name === long!.slice(2) ? !value : value;
  const wanted = on ? flag : flag.replace('--', '--no-');
  return command.options.some((one) => one.long === wanted) ? [wanted] : [];
}
