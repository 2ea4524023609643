/** Tables in pages of docs, and files that appear complete or not at all. */
import { readFile, rename, writeFile } from 'node:fs/promises';

/** A replacer of JSON.stringify: five digits. */
export function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}

/** The tables stand in the document between two marks; the text around them is not touched. */
export async function insertTables(document: string, command: string, text: string): Promise<void> {
  const [start, end] = [`<!-- tables: written by ${command} -->`, '<!-- end of tables -->'];
  const now = await readFile(document, 'utf8').catch(() => `${start}\n${end}\n`);
  const [from, to] = [now.indexOf(start), now.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${document} lacks the marks ${start} and ${end}, between which the tables belong.`);
  await writeWhole(document, `${now.slice(0, from + start.length)}\n\n${text}\n${now.slice(to)}`);
}

/** The file appears complete or not at all. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.partial`, text);
  await rename(`${file}.partial`, file);
}
