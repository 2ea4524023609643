import { parseArgs } from 'node:util';
import { BenchError, messageOf } from './errors.js';
import { type SuiteName, suiteNames, usualSuites } from './suites/names.js';

export const usage = `npm run bench -- [--quick] [--suite NAMES] [--node] [--out FILE]
npm run bench -- --against REF [--quick] [--node] [--out FILE]
npm run bench -- --plot FILE
  --quick        7 repeats of fewer cases: three to five minutes on two cores
  --suite NAMES  only these, comma-separated: ${suiteNames.join(', ')}
  --node         in Node on Dawn alone, without Chrome
  --against REF  the working tree beside a commit, branch or tag: what a change gains or costs
  --out FILE     where the rows go; default bench/results/<device>.json when all suites ran. The page goes beside it, as .html
  --plot FILE    draws the page of a results file again
`;

export interface Options {
  help: boolean;
  quick: boolean;
  node: boolean;
  suites: SuiteName[];
  /** All the usual suites: only then the results stand for the device. */
  complete: boolean;
  against?: string;
  out?: string;
  plot?: string;
}

export function parseOptions(argv: string[]): Options {
  const { values } = parsed(argv);
  if (values.plot !== undefined && argv.length !== (argv[0]?.includes('=') ? 1 : 2))
    throw new BenchError('--plot draws a file that is there; it takes no other option.', 2);
  if (values.against !== undefined && values.suite !== undefined)
    throw new BenchError('--against has cases of its own; it takes no --suite.', 2);
  const { suite, help, ...rest } = values;
  const suites = suite === undefined ? [...usualSuites] : suitesOf(suite);
  if (suites.includes('compile') && suites.length > 1) throw new BenchError('--suite: compile runs alone, without an adapter.', 2);
  return { ...rest, help, suites, complete: suite === undefined && values.against === undefined };
}

function parsed(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        quick: { type: 'boolean', default: false },
        suite: { type: 'string' },
        node: { type: 'boolean', default: false },
        against: { type: 'string' },
        out: { type: 'string' },
        plot: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new BenchError(messageOf(error), 2);
  }
}

function suitesOf(list: string): SuiteName[] {
  const wanted = list.split(',').map((name) => name.trim());
  const unknown = wanted.filter((name) => !(suiteNames as readonly string[]).includes(name));
  if (unknown.length > 0) throw new BenchError(`--suite: there is no ${unknown.join(', ')}; there are ${suiteNames.join(', ')}.`, 2);
  return suiteNames.filter((name) => wanted.includes(name));
}
