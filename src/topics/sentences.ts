/** The sentence of a document that shows a topic. */

export interface SentenceOptions {
  /** The terms of each text, as those of the matrix were found. */
  termsOf(texts: readonly string[]): readonly (readonly string[])[];
  /** The language, for Intl.Segmenter; default 'en'. */
  locale?: string;
}

export interface Sentence {
  text: string;
  /** Its different terms. */
  terms: ReadonlySet<string>;
  /** How many words it has between blanks. */
  words: number;
}

/** A sentence that is longer counts by this part of its words: a long list of everything shows no topic. */
const longSentence = 40;

/** Characters that the segmenter sees at once: its time grows faster than a text. */
const pieceLength = 5000;

/**
 * The sentence whose words carry most of a topic: the largest Σ φ over its different terms, times 40 ÷ words where it has more than 40. Of two
 * that carry as much the first. Undefined where none has a term of it.
 *
 * @param phi The part of the topic that each term makes up.
 */
export function typicalSentence(sentences: readonly Sentence[], phi: ReadonlyMap<string, number>): string | undefined {
  let best: string | undefined;
  let most = 0;
  for (const { text, terms, words } of sentences) {
    let carried = 0;
    for (const term of terms) carried += phi.get(term) ?? 0;
    const weight = carried * Math.min(1, longSentence / words);
    if (weight > most) [best, most] = [text, weight];
  }
  return best;
}

/** The sentences of a text with their terms, once for all topics. */
export function readSentences(text: string, { termsOf, locale }: SentenceOptions): Sentence[] {
  const sentences = sentencesOf(text, locale);
  const terms = termsOf(sentences);
  return sentences.map((one, i) => ({ text: one, terms: new Set(terms[i]), words: one.split(' ').length }));
}

/** The sentences of a text by Intl.Segmenter, with single blanks between words. They end with a blank line, too. */
export function sentencesOf(text: string, locale = 'en'): string[] {
  const segmenter = new Intl.Segmenter(locale, { granularity: 'sentence' });
  return text
    .split(/\n\s*\n/)
    .flatMap((paragraph) => paragraph.replaceAll(/\s+/g, ' ').trim().match(pieces) ?? [])
    .flatMap((piece) => Array.from(segmenter.segment(piece), ({ segment }) => segment.trim()))
    .filter((sentence) => sentence !== '');
}

const pieces = new RegExp(`.{1,${pieceLength}}(?:\\s|$)|.{1,${pieceLength}}`, 'gsu');
