/** The options of methods as flags, made from the definitions of the methods. A flag of another method is refused. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Absent } from '../data/missing.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { type Method, methodOf, methods, methodsWith } from '../methods/methods.js';
import { checkTogether, type Option as MethodOption, type OptionKind } from '../methods/options.js';
import {
  parseChoiceOrLayerValues,
  parseChoiceOrNumber,
  parseCount,
  parseLayers,
  parseNonnegative,
  parseNonnegatives,
  parseOneOf,
  parsePositive,
  parsePositiveInteger,
  parseWords,
} from './arguments.js';
import { startHelp } from './start.js';

/** The flags that were given, by the names of the library; matrices and labels are the names of their files. */
export type MethodOptions = Record<string, unknown> & {
  labels?: string;
  truth?: string;
  weights?: string;
  absent?: Absent;
  unlabelled?: string[];
  half?: boolean;
};

const names = Object.keys(methods) as Method[];

const layered = names.filter((name) => methods[name].layers === 'many');

/** The line of the help for each method. */
export const summaries = Object.fromEntries(names.map((name) => [name, methods[name].summary]));

const parsers: Partial<Record<OptionKind, (text: string) => unknown>> = {
  count: parseCount,
  positiveInteger: parsePositiveInteger,
  positive: parsePositive,
  atLeastZero: parseNonnegative,
  layerValues: parseNonnegatives,
  layerList: parseLayers,
  words: parseWords,
};

/** Options that only the library takes have no flag. */
const optionNames = [...new Set(names.flatMap((name) => Object.keys(methods[name].options)))].filter((option) =>
  methodsWith(option).some((name) => optionOf(name, option).kind !== 'data'),
);

/** On dense data that is only multiplied: see EngineOptions. */
const half = {
  methods: ['nmf', 'hierarchical', 'neural'] as Method[],
  help: 'keep a dense X as 16-bit floats on the device, entries rounded to 11 bits',
};

/** Flags of earlier versions, and the flags that took their places. */
const renamed = { mask: '--weights', lambda: '--l1' };

function optionOf(method: Method, option: string): MethodOption {
  return methodOf(method).options[option];
}

const flagOf = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

export function addMethodOptions(command: Command): Command {
  const labelled = `Labels (${methodsWith('labels').join(', ')}):`;
  const weighted = `Missing values (${methodsWith('weights').join(', ')}):`;
  for (const name of optionNames) {
    const of = methodsWith(name);
    const option = optionOf(of[0], name);
    const group =
      option.kind === 'labels' || option.needs?.option === 'labels' ? labelled : option.kind === 'matrix' ? weighted : 'Of some methods:';
    for (const flags of flagsOf(name, option)) {
      const flag = new Option(flags, helpOf(name, of, group, flags.startsWith('--no-'))).helpGroup(group);
      const values = [...new Set(of.flatMap((method) => optionOf(method, name).values ?? []))];
      if (values.some((value) => typeof value === 'number')) flag.argParser(parseOneOf(values.map(Number)));
      else if (option.orLayerValues) flag.choices(values.map(String)).argParser(parseChoiceOrLayerValues(values.map(String)));
      else if (option.orNumber) flag.choices(values.map(String)).argParser(parseChoiceOrNumber(values.map(String), option.orNumber));
      else if (values.length > 0) flag.choices(values.map(String));
      // A folder is no choice: see startFolder.
      if (option.factors) flag.argParser((text) => text);
      const parser = parsers[option.kind];
      if (parser) flag.argParser(parser);
      command.addOption(flag);
    }
  }
  command.addOption(new Option('--half', `${half.methods.join(', ')}: ${half.help}`).helpGroup('Of some methods:'));
  for (const [old, now] of Object.entries(renamed)) {
    const refuse = () => {
      throw new InvalidArgumentError(`It is called ${now} now.`);
    };
    command.addOption(new Option(`--${old} <value>`).argParser(refuse).hideHelp());
  }
  return command;
}

function flagsOf(name: string, { kind, placeholder, default: byDefault }: MethodOption): string[] {
  const flag = flagOf(name);
  if (kind !== 'flag') return [`${flag} <${placeholder}>`];
  const off = flag.replace('--', '--no-');
  return byDefault === true ? [off] : [flag, off];
}

/** The words of every method that takes the option, and its default; methods that say the same say it together. */
function helpOf(name: string, of: readonly Method[], group: string, off: boolean): string {
  const words = new Map<string, Map<string, Method[]>>();
  for (const method of of) {
    const { help, default: byDefault } = optionOf(method, name);
    const shown = typeof byDefault === 'number' ? Number(byDefault.toPrecision(4)) : byDefault;
    const told = typeof shown === 'boolean' || shown === undefined ? '' : String(shown);
    const together = words.get(help) ?? new Map<string, Method[]>();
    together.set(told, [...(together.get(told) ?? []), method]);
    words.set(help, together);
  }
  const said = Array.from(words, ([help, defaults]) => {
    const told = [...defaults]
      .filter(([value]) => value !== '')
      .map(([value, by]) => (defaults.size > 1 ? `${value} (${by.join(', ')})` : value));
    const sentence = `${off ? 'do not ' : ''}${help}${told.length > 0 ? `; default ${told.join(', ')}` : ''}`;
    return { by: [...defaults.values()].flat().join(', '), sentence };
  });
  if (said.length === 1 && group.includes(`(${said[0].by})`)) return said[0].sentence;
  const all = said.map(({ by, sentence }) => `${by}: ${sentence}`).join('; ');
  return optionOf(of[0], name).factors ? `${all}; ${startHelp}` : all;
}

/** The options of this list that were given, as they were. */
export function givenMethodOptions(command: Command): MethodOptions {
  const given = [...optionNames, 'half'].filter((name) => command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given.map((name) => [name, command.getOptionValue(name)]));
}

/** Throws InputError for an option that the method does not have. */
export function checkMethodHas(method: Method, given: MethodOptions): void {
  for (const name of Object.keys(given)) {
    const of = name === 'half' ? half.methods : methodsWith(name);
    if (!of.includes(method)) throw new InputError(`--method ${method} has no option ${flagOf(name)}; it belongs to ${inWords(of)}.`);
  }
}

/** Throws InputError for ranks that the method does not take, and for an option that would do nothing beside the others. */
export function checkMethodOptions(method: Method, ranks: readonly number[], given: MethodOptions): void {
  const { layers, options, checkBeside } = methodOf(method);
  if (layers === 'one' && ranks.length > 1) {
    throw new InputError(
      `--method ${method} takes one rank, but --ranks ${ranks.join(',')} has ${ranks.length}; give one, or choose ${inWords(layered, 'or')}.`,
    );
  }
  for (const [name, { kind, check, factors }] of Object.entries(options))
    if (kind === 'choice' && !factors && given[name] !== undefined) check(name, given[name]);
  checkTogether(options, given, flagOf);
  checkBeside?.(given, ranks, flagOf);
  if (given.half && (given.weights !== undefined || given.batchColumns !== undefined)) {
    const flag = given.weights === undefined ? '--batch-columns' : '--weights';
    throw new InputError(`--half is for data that is only multiplied, which ${flag} does not leave it at; give one of them.`);
  }
}
