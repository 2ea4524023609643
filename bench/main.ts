/** `npm run bench`: a page in headless Chrome measures, then Node does; this prints and writes down their rows. */
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { buildAgainst } from './against/build.js';
import { BenchError, messageOf } from './errors.js';
import { measureInNode, type Voices } from './node.js';
import { type Options, parseOptions, usage } from './options.js';
import type { Request } from './page.js';
import { pageOf, readResults, slug, writeWhole } from './results-file.js';
import { type CountRow, type Results, type Row, resultsVersion } from './rows.js';
import { repository } from './serve.js';
import { type AdapterSuite, countingSuites } from './suites/names.js';
import { tableText } from './table.js';

/** Returns the exit status: 0, 1 for a failure, 2 for a wrong option. */
export async function main(argv: string[]): Promise<number> {
  try {
    const options = parseOptions(argv);
    if (options.help) {
      process.stdout.write(usage);
      return 0;
    }
    if (options.plot !== undefined) {
      await writePage(options.plot, await readResults(options.plot));
      return 0;
    }
    return await benchmark(options);
  } catch (error) {
    const expected = error instanceof BenchError;
    process.stderr.write(`\n${expected ? error.message : `The benchmark failed: ${messageOf(error)}`}\n`);
    if (expected && error.status === 2) process.stderr.write(`\n${usage}`);
    return expected ? error.status : 1;
  }
}

async function benchmark(options: Options): Promise<number> {
  const measurements = await measured(options);
  const results: Results = { version: resultsVersion, commit: commit(), date: new Date().toISOString(), ...measurements };
  process.stdout.write(tableText(results));
  const file = options.out ?? usualFile(options, results);
  if (file !== undefined) {
    await writeWhole(file, `${JSON.stringify(results, null, 2)}\n`);
    process.stdout.write(`\nwritten to ${path.relative(process.cwd(), file)}\n`);
    await writePage(file, results);
  }
  return results.rows.every(isSound) ? 0 : 1;
}

/** Where results go that stand for a device, or (of a suite that counts) for a plan. */
function usualFile({ complete, suites }: Options, { device }: Results): string | undefined {
  const counted = suites.length === 1 && (countingSuites as readonly string[]).includes(suites[0]);
  if (!complete && !counted) return undefined;
  return path.join(
    repository,
    'bench',
    'results',
    `${suites[0] === 'compile' ? `compile-${slug(device.split(',')[0])}` : counted ? suites[0] : slug(device)}.json`,
  );
}

/** Peers may be wrong; we may not. What ran once is not checked for itself. */
function isSound({ suite, subject, repeats, checked }: Row): boolean {
  return checked || subject !== 'orthant' || repeats === 1 || suite === 'profile';
}

async function writePage(file: string, results: Results): Promise<void> {
  const page = pageOf(file);
  const { pageText } = await import('./plots/page-text.js');
  await writeWhole(page, pageText(results));
  process.stdout.write(`drawn in ${path.relative(process.cwd(), page)}\n`);
}

/** A few suites show whether Dawn in a process of its own differs from Chrome. */
const nodeSuites: Record<'quick' | 'full', AdapterSuite[]> = {
  quick: ['roofline', 'mu'],
  full: ['roofline', 'kernels', 'mu', 'nnls', 'neural'],
};

type Measurements = Pick<Results, 'device' | 'rows' | 'counts'>;

async function measured(options: Options): Promise<Measurements> {
  const { quick, node, suites } = options;
  if (suites[0] === 'compile') {
    const { compileSuite } = await import('./compile/main.js');
    return await compileSuite(voices.progress).finally(endLine);
  }
  const against = options.against === undefined ? undefined : await buildAgainst(options.against, voices.progress);
  const { dispose, ...plain } = against ?? { dispose: undefined };
  const onAdapter = suites.filter((name): name is AdapterSuite => name !== 'compile');
  const request: Request = { repeats: quick ? 7 : 15, quick, suites: onAdapter, against: against && (plain as Request['against']) };
  try {
    if (node) return await inNode(request);
    const { measureInChrome } = await import('./chrome.js');
    const { device, software, browser, rows, counts } = await measureInChrome(request, voices);
    const described = { device: `${device}${software ? processor() : ''}, ${browser}`, rows, ...some(counts) };
    if (!options.complete) return described;
    const few = quick ? nodeSuites.quick : nodeSuites.full;
    const fromNode = await inNode({ ...request, suites: few });
    return { ...described, rows: [...rows, ...fromNode.rows] };
  } finally {
    endLine();
    dispose?.();
  }
}

/** Files without counts have no place for them. */
function some(counts: readonly CountRow[]): { counts?: CountRow[] } {
  return counts.length > 0 ? { counts: [...counts] } : {};
}

async function inNode(request: Request): Promise<Measurements> {
  const { device, software, rows, counts } = await measureInNode(request, {
    progress: (line) => voices.progress(`Node: ${line}`),
    warn: (line) => voices.warn(`Node: ${line}`),
  });
  const named = rows.map((row) => ({ ...row, case: `${row.case}, in Node` }));
  return { device: `${device}${software ? processor() : ''}, Node ${process.versions.node}`, rows: named, ...some(counts) };
}

function processor(): string {
  return `, ${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'unknown CPU'}`;
}

const voices: Voices = {
  /** One line that overwrites itself on a terminal, lines elsewhere. */
  progress(line) {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${line}` : `${line}\n`);
  },
  warn(line) {
    endLine();
    process.stderr.write(`${line}\n`);
  },
};

function endLine(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', '.', ':!bench/results') === '' ? '' : '-dirty'}`;
  } catch {
    return 'unknown';
  }
}
