import { type Command, Option } from 'commander';
import { checkRanks } from '../data/check.js';
import { InputError } from '../errors.js';
import { neuralNmf } from '../methods/neural.js';
import { checkFormOf } from '../models/factor-files.js';
import type { SavedModel } from '../models/files.js';
import { corpusForms } from '../node/corpus.js';
import { checkModelFolder } from '../node/model-folder.js';
import { textReader } from '../topics/text-reader.js';
import { agreementTable, agreementTables, classAgreements } from './agreement.js';
import { addFitOptions, type CommonOptions, parsePositiveInteger } from './arguments.js';
import { type FindOptions, findInModel } from './find-topics.js';
import type { Io } from './io.js';
import { checkReportFile, writeReport } from './report-file.js';
import { describeDevice, endOfFit, fitOnDevice, printModel, provenance, writeModel } from './run-fit.js';
import { ranksAndRestarts, startFolder, startInOrder, startOption } from './start.js';
import { alignFacts, fitFacts, layerTable } from './summary.js';
import { addTextOptions, readTexts, type TextOptions } from './text-options.js';
import { wrapAll } from './text-width.js';
import { addTopicOptions, describeTopics, planTopics, printTopics, type TopicOptions } from './topic-options.js';
import { topicTables } from './topic-tables.js';

type TopicsOptions = CommonOptions & TextOptions & TopicOptions & FindOptions & { start?: string };

/**
 * A reader's tree, not the last digit: on the built-in examples the topics have settled after some hundred iterations, while the
 * error still creeps down in its fourth decimal for thousands.
 */
export const defaults = { restarts: 4, maxIterations: 150, tolerance: 1e-5 };

const examples = `
Examples:
  orthant topics sotu --ranks 20,8,3        the State of the Union addresses
  orthant topics brown --ranks 20,8,3       the Brown corpus
  orthant topics sotu --ranks 20,8,3 --report speeches.html
  orthant topics papers/ --ranks 12,4 --stop-words figure,table --out model
  orthant topics sotu --ranks 20,5 --min-children 2 --relevance 0.6 --sentences
  orthant topics sotu --ranks 20,5 --seed-topic 'money: gold, silver, currency' --find 'paper money'
  orthant topics mails.csv --text-field body --label-field folder --ranks 15,5
  grep -h . logs/*.txt | orthant topics - --ranks 8 --ngrams 2
`;

export function addTopicsCommand(program: Command, io: Io): void {
  const command = program
    .command('topics')
    .summary('find a tree of topics in texts')
    .description('Finds a tree of topics in texts with Neural NMF and prints it, the last layer of --ranks on top.')
    .argument('[corpus]', corpusForms);
  addFitOptions(command, defaults).option('--words <n>', 'words shown for each topic', parsePositiveInteger, 10);
  addTextOptions(command).addHelpText('after', examples);
  addTopicOptions(command)
    .addOption(startOption('neural').helpGroup('Topics:'))
    .addOption(new Option('--model <dir>', 'with --find: a folder that --out wrote, instead of a corpus').helpGroup('Topics:'))
    .action((corpus: string | undefined, options: TopicsOptions) => {
      if (options.model !== undefined) return findInModel(io, options.model, options);
      if (corpus === undefined) return command.error("error: missing required argument 'corpus'");
      return findTopics(io, corpus, options, command);
    });
  for (const option of command.options) if (option.long === '--ranks') option.mandatory = false; // models and given factors have their own
}

async function findTopics(io: Io, source: string, given: TopicsOptions, command: Command): Promise<void> {
  const folder = await startFolder(given.start, 'neural');
  const options = { ...given, ...ranksAndRestarts(command, given, given.start, folder, 'neural') };
  const { ranks, restarts, maxIterations, tolerance, words, out, format, report, json } = options;
  if (out !== undefined) await checkModelFolder(out, ranks.length);
  if (report !== undefined) await checkReportFile(report, out);
  checkFormOf(format, undefined);
  const texts = await readTexts(io, source, options);
  const { corpus, X, terms, documents, emptyDocuments, vocabulary } = texts;
  checkRanks(ranks, X.rows, X.cols);
  const ofTopics = { documents: corpus.documents, X, terms, reader: await textReader(vocabulary) };
  const plan = await planTopics(options, ranks, ofTopics);
  if (folder && plan.guide)
    throw new InputError('--start gives every topic a start, and seed words change one; give one of the two.', { option: 'start' });
  const named = { path: corpus.name, features: terms, notes: [] };
  const start = folder ? startInOrder(folder, named, 'neural', 'terms') : (options.start as 'hierarchical' | 'random' | undefined);

  const print = (lines: readonly string[]) => json || io.stdout.print(lines);
  const { model: fitted, device } = await fitOnDevice(
    io,
    options,
    (engine, fitOptions) => neuralNmf(engine, X, { ...fitOptions, ranks, start, guide: plan.guide }),
    (device) =>
      print(
        wrapAll(
          [
            `${corpus.name}: ${documents.length} documents, ${terms.length} terms, on ${describeDevice(device, options.device)}`,
            `Neural NMF with ranks ${ranks.join(', ')}, ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}, seed ${options.seed}`,
            ...(folder ? [`Start: ${folder.path}: ${folder.read}`] : []),
            ...texts.reading,
            '',
          ],
          io.stdout.columns,
        ),
      ),
  );
  const model: SavedModel = { ...fitted, samples: documents, text: vocabulary };
  const found = describeTopics(model, options, plan, ofTopics);
  const agreements = classAgreements(model, corpus.labelings);
  const settings = { corpus: source, start: options.start, restarts, maxIterations, tolerance, words, ...texts.settings };
  const labelled = agreements.length > 0 ? { agreements } : {};
  const extra = { ...provenance(device, settings), terms, documents, emptyDocuments, ...found, ...labelled };
  const written = out === undefined ? undefined : await writeModel({ out, format }, model, extra);
  if (report !== undefined) {
    const nouns = { feature: 'term', sample: 'document', part: 'topic' };
    await writeReport(io, report, {
      title: corpus.name,
      model,
      X,
      features: terms,
      samples: documents,
      nouns,
      topics: found.topics,
      order: 'parts',
      tables: [...agreementTables(agreements, model, corpus.labelings), ...topicTables(found)],
      settings,
      device: describeDevice(device, options.device),
    });
  }
  if (json) {
    await printModel(io, { format }, model, extra);
    return endOfFit(io, model, options);
  }
  const facts = [...fitFacts(model), ['device', describeDevice(device, options.device)] as [string, string]];
  if (emptyDocuments.length > 0) facts.push(['left out', `${emptyDocuments.length} documents with none of the terms`]);
  if (written) facts.push(['written', `${out}: ${written.join(', ')}`]);
  if (report !== undefined) facts.push(['report', report]);
  print([
    ...printTopics(found, options, Math.min(io.stdout.columns ?? 100, 160)),
    ...layerTable(model, io.stdout.columns),
    '',
    ...agreementTable(agreements),
    ...alignFacts(facts, { columns: io.stdout.columns }),
  ]);
  await endOfFit(io, model, options);
}
