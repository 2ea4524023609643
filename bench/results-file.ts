import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, messageOf } from './errors.js';
import { type Results, type Row, resultsVersion } from './rows.js';

/** Reads a results file. Refuses one that it does not understand. */
export async function readResults(file: string): Promise<Results> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new BenchError(`${file} cannot be read: ${messageOf(error)}`, 2);
  }
  return parseResults(text, file);
}

export function parseResults(text: string, file: string): Results {
  const results = parsed(text, file);
  if (typeof results !== 'object' || results === null || !Array.isArray(results.rows))
    throw new BenchError(`${file} is no results file of this benchmark: it has no rows.`, 2);
  if (results.version !== resultsVersion) {
    const found = results.version === undefined ? 'has no version' : `is of version ${results.version}`;
    throw new BenchError(`${file} ${found}, but this benchmark reads version ${resultsVersion}. Run npm run bench to write it anew.`, 2);
  }
  const wrong = results.rows.findIndex((row) => !isRow(row));
  if (wrong !== -1) throw new BenchError(`${file}: row ${wrong + 1} is incomplete; a row has ${fields.join(', ')}.`, 2);
  for (const field of ['device', 'commit', 'date'] as const)
    if (typeof results[field] !== 'string') throw new BenchError(`${file} does not say its ${field}.`, 2);
  return results as Results;
}

function parsed(text: string, file: string): Partial<Results> {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BenchError(`${file} is no JSON: ${messageOf(error)}`, 2);
  }
}

const kinds = {
  suite: 'string',
  case: 'string',
  subject: 'string',
  medianMs: 'number',
  iqrMs: 'number',
  repeats: 'number',
  checked: 'boolean',
  note: 'string',
} as const;
const fields = Object.keys(kinds) as (keyof typeof kinds)[];

function isRow(row: unknown): row is Row {
  return typeof row === 'object' && row !== null && fields.every((field) => typeof (row as Row)[field] === kinds[field]);
}

/** The file appears complete or not at all. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.partial`, text);
  await rename(`${file}.partial`, file);
}

/** The page that belongs to a results file. */
export function pageOf(file: string): string {
  return `${file.replace(/\.json$/, '')}.html`;
}

/** The adapter's own name as a file name: "SwiftShader Device (…)" → "swiftshader-device". */
export function slug(device: string): string {
  return (
    device
      .replace(/\(.*/, '')
      .trim()
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'unnamed'
  );
}
