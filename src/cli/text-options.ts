/** The options of texts: where documents are in a file, what counts as a word, and which words become terms. */
import { type Command, Option } from 'commander';
import { InputError } from '../errors.js';
import { decodeText } from '../formats/file-format.js';
import { type Corpus, type CorpusOptions, readCorpus } from '../node/corpus.js';
import { readBytes } from '../node/files.js';
import { detectLanguage, languageName, stemmerOf, stopWordsOf } from '../text/languages.js';
import { type TermDocumentMatrix, type TermOptions, termDocumentMatrix } from '../text/term-document.js';
import { weightings } from '../text/vocabulary.js';
import { parseFraction, parseNgrams, parsePositiveInteger, parseWords } from './arguments.js';
import type { Io } from './io.js';

/** Where the documents are. */
export interface SourceOptions {
  textField?: string;
  labelField?: string;
  dateField?: string;
  idField?: string;
  encoding?: string;
  missing?: string[];
}

export interface TextOptions extends SourceOptions {
  preset: 'topics' | 'sklearn';
  language?: string;
  weighting: 'tfidf' | 'counts' | 'binary';
  sublinear?: boolean;
  maxTerms?: number;
  minDocuments?: number;
  minDocumentFraction?: number;
  maxDocuments?: number;
  maxDocumentFraction?: number;
  minLength?: number;
  ngrams?: [number, number];
  /** Words, and files of words as '@path'. */
  stopWords?: string[];
  keepWords?: string[];
  /** False where no list of the language is wanted. */
  stopList: boolean;
  stem?: boolean;
}

/** The options of where documents have their texts, for every command that reads a corpus. */
export function addFieldOptions(command: Command): Command {
  return command
    .option('--text-field <name>', 'the field with the text, in .jsonl, .csv, .tsv and .parquet (default: text)')
    .option('--id-field <name>', 'the field with the name of a document (default: name, title or id)');
}

export function addTextOptions(command: Command): Command {
  return addFieldOptions(command)
    .option('--encoding <name>', 'the encoding of the texts, such as windows-1252 or shift_jis (default: UTF-8, or what bytes say)')
    .option('--label-field <name>', 'the field with the class of a document')
    .option('--date-field <name>', 'the field with the date of a document')
    .option('--missing <list>', 'labels that mean none (default: NA, N/A, <NA>, NaN, nan)', parseWords)
    .addOption(
      new Option('--preset <name>', 'which words and terms: topics, or the defaults of sklearn (scikit-learn)')
        .choices(['topics', 'sklearn'])
        .default('topics'),
    )
    .option('--language <tag>', 'the language of the texts, such as de or pt-BR (default: detected)')
    .addOption(new Option('--weighting <name>', 'the entries of the matrix').choices(weightings).default('tfidf'))
    .option('--sublinear', 'tf-idf takes 1 + ln of counts')
    .option('--max-terms <n>', 'most terms in the vocabulary (default: 1500; sklearn: no limit)', parsePositiveInteger)
    .option('--min-documents <n>', 'a term must be in at least so many documents (default: 2 % of them; sklearn: 1)', parsePositiveInteger)
    .option('--min-document-fraction <f>', 'a term must be in at least this part of the documents', parseFraction)
    .option('--max-documents <n>', 'a term must be in at most so many documents', parsePositiveInteger)
    .option('--max-document-fraction <f>', 'a term must be in at most this part of the documents (default: 0.5; sklearn: 1)', parseFraction)
    .option(
      '--min-length <n>',
      'fewest characters of a word (default: by the script, 3 for Latin, 2 for Chinese; sklearn: 2)',
      parsePositiveInteger,
    )
    .option('--ngrams <range>', 'terms are sequences of so many words: 2 for one or two, 2-3 for two or three', parseNgrams)
    .option(
      '--stop-words <list>',
      'words to leave out besides those of the language, separated by commas; @FILE for a file of words',
      parseWords,
    )
    .option('--keep-words <list>', 'words to keep, whatever other options say; @FILE for a file of words', parseWords)
    .option('--no-stop-list', 'leave out no words but those of --stop-words')
    .option('--stem', 'cut words down to their stems (Snowball); needs the package snowball-stemmers');
}

export interface ReadTexts extends TermDocumentMatrix {
  corpus: Corpus;
  /** How the texts were read, in words. */
  reading: string[];
  /** The options as they were given, for model.json. */
  settings: Record<string, unknown>;
}

/** Of all options those of where documents are. */
export function sourceOptionsOf({ textField, labelField, dateField, idField, encoding, missing }: SourceOptions): CorpusOptions {
  return { textField, labelField, dateField, idField, encoding, missing };
}

/** The corpus of a command. */
export async function readDocuments(io: Io, source: string, options: SourceOptions): Promise<Corpus> {
  const input = source === '-' ? io.stdin?.() : undefined;
  try {
    return await readCorpus(source, { ...sourceOptionsOf(options), input, announce: (line) => io.stderr.print([line]), signal: io.signal });
  } catch (error) {
    if (!(error instanceof InputError) || error.option !== 'missing') throw error;
    throw new InputError(error.message.replace('such as [], a class', "such as '', a class"), { option: 'missing', cause: error });
  }
}

/** The corpus and its matrix, read by these options. */
export async function readTexts(io: Io, source: string, options: TextOptions): Promise<ReadTexts> {
  const { preset, weighting, sublinear, minDocuments, minDocumentFraction, maxDocuments, maxDocumentFraction, minLength, ngrams } = options;
  const [stopWords, keepWords] = await Promise.all([wordsOf(options.stopWords), wordsOf(options.keepWords)]);
  const corpus = await readDocuments(io, source, options);
  const found = options.language === undefined ? await detectLanguage(corpus.documents) : { language: options.language, sure: true };
  const { language } = found;
  const list = preset === 'topics' && options.stopList ? await stopWordsOf(language) : [];
  const { maxTerms = preset === 'topics' ? 1500 : undefined } = options;
  const common: TermOptions = {
    preset,
    weighting,
    sublinear,
    minDocuments,
    minDocumentFraction,
    maxDocuments,
    maxDocumentFraction,
    minLength,
  };
  const matrix = termDocumentMatrix(corpus.documents, {
    ...common,
    maxTerms,
    ngrams,
    language,
    stopWords: [...list, ...stopWords],
    keepWords,
    stemmer: options.stem ? await stemmerOf(language) : undefined,
  });
  const { stopList, stem } = options;
  return {
    ...matrix,
    corpus,
    reading: [...corpus.notes, describeReading(matrix, { ...options, found, listed: list.length })],
    settings: {
      ...{ ...common, maxTerms, ngrams, language: options.language, stopWords: options.stopWords ?? [] },
      ...(keepWords.length > 0 ? { keepWords: options.keepWords } : {}),
      ...(stopList ? {} : { stopList }),
      ...sourceOptionsOf(options),
      stem,
    },
  };
}

/** The words of an option, those of files included. */
async function wordsOf(given: readonly string[] = []): Promise<string[]> {
  const lists = given.map(async (word) => {
    if (!word.startsWith('@')) return [word];
    const path = word.slice(1);
    if (path === '') throw new InputError("'@' needs the name of a file of words, as in @words.txt.");
    return decodeText(await readBytes(path, { mayBeEmpty: true }), path)
      .split(/[\s,]+/)
      .filter(Boolean);
  });
  return (await Promise.all(lists)).flat();
}

function describeReading(
  { vocabulary }: TermDocumentMatrix,
  { preset, language, stopList, found, listed }: TextOptions & { found: { language: string; sure: boolean }; listed: number },
): string {
  if (preset === 'sklearn') return 'Words as scikit-learn finds them: two characters or more, no stop words left out.';
  const name = languageName(found.language);
  const how = language !== undefined ? '' : found.sure ? ' (detected; --language settles it)' : ' (assumed; --language settles it)';
  const list = !stopList ? 'no list of stop words' : listed === 0 ? 'no list of stop words is known' : `${listed} stop words left out`;
  const stems = vocabulary.options.stemming === null ? '' : ', stems';
  return `Language: ${name}${how}, ${list}${stems}.`;
}
