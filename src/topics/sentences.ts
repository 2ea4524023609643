/** The sentence of a document that shows a topic. */

export interface SentenceOptions {
  /** The terms of a text, as those of the matrix were found. */
  termsOf(text: string): readonly string[];
  /** The language, for Intl.Segmenter; default 'en'. */
  locale?: string;
}

/** A sentence that is longer counts by this part of its words: a long list of everything shows no topic. */
const longSentence = 40;

/** Characters that the segmenter sees at once: its time grows faster than a text. */
const pieceLength = 5000;

/**
 * The sentence whose words carry most of a topic: the largest Σ φ over its different terms, times 40 ÷ words where it has more than 40. Of two
 * that carry as much the first. Sentences are those of Intl.Segmenter, and end with a blank line. Undefined where none has a term of it.
 *
 * @param phi The part of the topic that each term makes up.
 */
export function typicalSentence(
  text: string,
  phi: ReadonlyMap<string, number>,
  { termsOf, locale = 'en' }: SentenceOptions,
): string | undefined {
  let best: string | undefined;
  let most = 0;
  for (const sentence of sentencesOf(text, locale)) {
    const words = sentence.split(' ').length;
    const carried = [...new Set(termsOf(sentence))].reduce((sum, term) => sum + (phi.get(term) ?? 0), 0);
    const weight = carried * Math.min(1, longSentence / words);
    if (weight > most) [best, most] = [sentence, weight];
  }
  return best;
}

/** The sentences of a text, with single blanks between words. */
export function sentencesOf(text: string, locale = 'en'): string[] {
  const segmenter = new Intl.Segmenter(locale, { granularity: 'sentence' });
  return text
    .split(/\n\s*\n/)
    .flatMap((paragraph) => paragraph.replaceAll(/\s+/g, ' ').trim().match(pieces) ?? [])
    .flatMap((piece) => Array.from(segmenter.segment(piece), ({ segment }) => segment.trim()))
    .filter((sentence) => sentence !== '');
}

const pieces = new RegExp(`.{1,${pieceLength}}(?:\\s|$)|.{1,${pieceLength}}`, 'gsu');
