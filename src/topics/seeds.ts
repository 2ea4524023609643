/** Seed words: what a few topics should be about, as the start of columns of A⁰. */
import { type Matrix, matrix } from '../data/matrix.js';
import { nearestOf } from '../data/names.js';
import { inWords, quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import type { TextReader } from './text-reader.js';

/** Words that a topic starts from. */
export interface Seed {
  name: string;
  words: readonly string[];
}

/**
 * Seeds in a text with one a line, as 'economy: tax, budget, debt'. Blank lines and lines that begin with # are left out.
 *
 * @throws InputError for a line without a name or words, and a name that is there twice; it begins with `source`.
 */
export function parseSeeds(text: string, source: string): Seed[] {
  const seeds = text.split(/\r\n|\n|\r/).flatMap((line, at) => {
    if (line.trim() === '' || line.trimStart().startsWith('#')) return [];
    return [parseSeed(line, `${source}: line ${at + 1}`)];
  });
  if (seeds.length === 0) throw new InputError(`${source} has no seed words; give a line such as 'economy: tax, budget, debt'.`);
  return seeds;
}

/** One seed; see `parseSeeds`. */
export function parseSeed(text: string, source: string): Seed {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(colon, 0)).trim();
  const words = text
    .slice(colon + 1)
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (name === '' || words.length === 0)
    throw new InputError(`${source} is ${quoted(text.trim())}, but a name and words are needed, such as 'economy: tax, budget, debt'.`);
  return { name, words: [...new Set(words)] };
}

/**
 * Seeds as the option `guide` of `nmf` and `neuralNmf`: a column for each, 1 in the rows of its words.
 *
 * @param terms The names of the rows of X. @param rank The first rank of the fit, which limits the number of seeds.
 * @param reader Reads a word as the texts were read (`textReader`), so that 'taxes' is found where terms are stems. Default: words as they stand.
 * @throws InputError for words that are no term, with the nearest term; for more seeds than topics; for a name that is there twice.
 */
export function guideOf(seeds: readonly Seed[], terms: readonly string[], rank: number, reader?: Pick<TextReader, 'termsOf'>): Matrix {
  if (seeds.length > rank)
    throw new InputError(
      `There are seed words for ${seeds.length} topics, but the lowest layer has ${rank}; give fewer, or a larger rank.`,
      {
        option: 'seedWords',
      },
    );
  const twice = seeds.find(({ name }, i) => seeds.findIndex((other) => other.name === name) < i);
  if (twice)
    throw new InputError(`There are two seeds with the name ${quoted(twice.name)}; give each topic a name of its own.`, {
      option: 'seedWords',
    });
  const rowOf = new Map(terms.map((term, row) => [term, row]));
  const guide = matrix(terms.length, seeds.length, new Float32Array(terms.length * seeds.length));
  const missing: string[] = [];
  seeds.forEach(({ name, words }, column) => {
    for (const word of words) {
      const row = rowOf.get(word) ?? rowOf.get(word.normalize('NFKC').toLowerCase()) ?? rowOf.get(wholeTerm(word, reader));
      if (row === undefined) missing.push(notATerm(word, name, terms));
      else guide.data[row * seeds.length + column] = 1;
    }
  });
  if (missing.length > 0) {
    const told = missing.length > 5 ? [...missing.slice(0, 4), `${missing.length - 4} more`] : missing;
    const what = missing.length === 1 ? 'A seed word is' : `${missing.length} seed words are`;
    throw new InputError(`${what} not among the ${terms.length} terms: ${inWords(told)}.`, { option: 'seedWords' });
  }
  return guide;
}

/** The term that a word or a phrase is as a whole. */
function wholeTerm(word: string, reader: Pick<TextReader, 'termsOf'> | undefined): string {
  const length = (term: string) => term.split(' ').length;
  return (reader?.termsOf([word])[0] ?? []).reduce(
    (longest, term) => (longest === '' || length(term) > length(longest) ? term : longest),
    '',
  );
}

function notATerm(word: string, name: string, terms: readonly string[]): string {
  const nearest = nearestOf(word.toLowerCase(), terms);
  return `${quoted(word)} of ${quoted(name)}${nearest === undefined ? '' : ` (did you mean ${quoted(nearest)}?)`}`;
}
