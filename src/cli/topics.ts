import type { Command } from 'commander';
import { checkRanks } from '../data/check.js';
import { neuralNmf } from '../methods/neural.js';
import { checkFormOf } from '../models/factor-files.js';
import { corpusForms, readCorpus } from '../node/corpus.js';
import { checkModelFolder } from '../node/model-folder.js';
import { englishStopWords, termDocumentMatrix } from '../text/term-document.js';
import { topicTree } from '../topics/tree.js';
import { addFitOptions, type CommonOptions, parseFraction, parsePositiveInteger, parseWords } from './arguments.js';
import type { Io } from './io.js';
import { printTree } from './print-tree.js';
import { alignFacts, fitFacts, layerTable } from './report.js';
import { describeDevice, endOfFit, fitOnDevice, printModel, provenance, writeModel } from './run-fit.js';

interface TopicsOptions extends CommonOptions {
  words: number;
  maxTerms: number;
  minDocuments?: number;
  maxDocumentFraction?: number;
  stopWords: string[];
}

/**
 * A reader's tree, not the last digit: on the built-in examples the topics have settled after some hundred iterations, while the
 * error still creeps down in its fourth decimal for thousands.
 */
const defaults = { restarts: 4, maxIterations: 150, tolerance: 1e-5 };

const examples = `
Examples:
  orthant topics sotu --ranks 20,8,3        the State of the Union addresses
  orthant topics brown --ranks 20,8,3       the Brown corpus
  orthant topics papers/ --ranks 12,4 --stop-words figure,table --out model
`;

export function addTopicsCommand(program: Command, io: Io): void {
  const command = program
    .command('topics')
    .summary('find a tree of topics in texts')
    .description('Finds a tree of topics in texts with Neural NMF and prints it, the last layer of --ranks on top.')
    .argument('<corpus>', corpusForms);
  addFitOptions(command, defaults)
    .option('--words <n>', 'words shown for each topic', parsePositiveInteger, 10)
    .option('--max-terms <n>', 'most terms in the vocabulary', parsePositiveInteger, 1500)
    .option('--min-documents <n>', 'a term must be in at least so many documents (default: 2 % of them)', parsePositiveInteger)
    .option('--max-document-fraction <f>', 'a term must be in at most this part of the documents (default: 0.5)', parseFraction)
    .option('--stop-words <list>', 'words to leave out besides the English function words, separated by commas', parseWords, [])
    .addHelpText('after', examples)
    .action((corpus: string, options: TopicsOptions) => findTopics(io, corpus, options));
}

async function findTopics(io: Io, source: string, options: TopicsOptions): Promise<void> {
  const { ranks, restarts, maxIterations, tolerance, words, maxTerms, minDocuments, maxDocumentFraction, stopWords, out, format, json } =
    options;
  if (out !== undefined) await checkModelFolder(out, ranks.length);
  checkFormOf(format, undefined);
  const corpus = await readCorpus(source, { announce: (line) => io.stderr.print([line]), signal: io.signal });
  const { X, terms, documents, emptyDocuments } = termDocumentMatrix(corpus.documents, {
    maxTerms,
    minDocuments,
    maxDocumentFraction,
    stopWords: [...englishStopWords, ...stopWords],
  });
  checkRanks(ranks, X.rows, X.cols);

  const print = (lines: readonly string[]) => json || io.stdout.print(lines);
  const { model, device } = await fitOnDevice(
    io,
    options,
    (engine, fitOptions) => neuralNmf(engine, X, { ...fitOptions, ranks }),
    (device) =>
      print([
        `${corpus.name}: ${documents.length} documents, ${terms.length} terms, on ${describeDevice(device, options.device)}`,
        `Neural NMF with ranks ${ranks.join(', ')}, ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}, seed ${options.seed}`,
        '',
      ]),
  );
  const topics = topicTree(model, terms, documents, { words });
  const settings = { corpus: source, restarts, maxIterations, tolerance, words, maxTerms, minDocuments, maxDocumentFraction, stopWords };
  const extra = { ...provenance(device, settings), terms, documents, emptyDocuments, topics };
  const written = out === undefined ? undefined : await writeModel({ out, format }, model, extra);
  if (json) {
    await printModel(io, { format }, model, extra);
    return endOfFit(io, model, out);
  }
  const facts = [...fitFacts(model), ['device', describeDevice(device, options.device)] as [string, string]];
  if (emptyDocuments.length > 0) facts.push(['left out', `${emptyDocuments.length} documents with none of the terms`]);
  if (written) facts.push(['written', `${out}: ${written.join(', ')}`]);
  print([
    ...printTree(topics, Math.min(io.stdout.columns ?? 100, 160)),
    '',
    'Percentages: share of the corpus within a layer; e.g.: documents with most of the topic.',
    '',
    ...layerTable(model),
    '',
    ...alignFacts(facts),
  ]);
  await endOfFit(io, model, out);
}
