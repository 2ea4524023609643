/** The page of --report: checked before the fit, written after it. */
import { basename, dirname, resolve } from 'node:path';
import { InputError } from '../errors.js';
import type { Factorization } from '../methods/methods.js';
import { reportParts } from '../report/parts.js';
import type { TensorReport } from '../report/tensor-page.js';
import type { ReportSource } from '../report/types.js';
import { checkOutputFile, writeOutput } from './apply-model.js';
import type { Io } from './io.js';
import { version } from './run-fit.js';
import { fitFacts } from './summary.js';

/** Throws InputError if the page could not be written. A folder that --out is to make need not be there yet. */
export async function checkReportFile(path: string, out?: string): Promise<void> {
  if (!/\.html?$/i.test(path)) throw new InputError(`--report writes a page of HTML, so its file ends in .html, unlike '${path}'.`);
  const inOut = out !== undefined && resolve(dirname(path)) === resolve(out);
  await checkOutputFile(inOut ? resolve(dirname(resolve(out)), basename(path)) : path);
}

export interface ReportParts extends Omit<ReportSource, 'facts' | 'origin' | 'command' | 'settings' | 'model'> {
  model: Factorization;
  /** The options of the command; those of every fit are added. */
  settings: object;
  /** In words. */
  device: string;
}

/** Makes the page and writes it, complete or not at all. */
export async function writeReport(io: Io, path: string, { device, settings, ...source }: ReportParts): Promise<void> {
  const { model } = source;
  const [{ reportData }, { reportPage }, parts] = await Promise.all([
    import('../report/data.js'),
    import('../report/page.js'),
    reportParts(),
  ]);
  const data = reportData({
    ...source,
    facts: fitFacts(model),
    settings: { method: model.method, ranks: model.ranks, seed: model.seed, ...settings },
    origin: originOf(device),
    command: commandLine(io.argv),
  });
  await writeOutput(path, reportPage(data, parts));
}

/** As `writeReport`, for a fit of a tensor. */
export async function writeTensorReport(
  io: Io,
  path: string,
  { device, ...source }: Omit<TensorReport, 'origin' | 'command'> & { device: string },
): Promise<void> {
  const [{ tensorReportPage }, parts] = await Promise.all([import('../report/tensor-page.js'), reportParts()]);
  await writeOutput(path, tensorReportPage({ ...source, origin: originOf(device), command: commandLine(io.argv) }, parts));
}

function originOf(device: string): [string, string][] {
  return [
    ['orthant', version],
    ['device', device],
    ['runtime', `${runtime()}, ${process.platform} ${process.arch}`],
    [
      'made',
      new Date()
        .toISOString()
        .replace(/\.\d+Z$/, ' UTC')
        .replace('T', ' '),
    ],
  ];
}

function runtime(): string {
  const { bun, deno, node } = process.versions;
  return bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${node}`;
}

/** The command as a line for a POSIX shell. */
export function commandLine(argv: readonly string[]): string {
  return ['orthant', ...argv.map(quotedForShell)].join(' ');
}

/** A word as a POSIX shell reads it back. */
function quotedForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
