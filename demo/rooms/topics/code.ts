/** The tree on the screen as code. */
import type { Code } from '../../page/code.js';
import type { Effect } from '../../work/topics/words.js';
import type { Fields, LearnOptions, TextChoices } from '../../work/topics.js';
import { defaults } from './levels.js';

export interface Shown {
  /** What the command line reads instead. */
  source: string;
  /** Whether the page has only a part of it. */
  sampled: boolean;
  fields: Fields;
  encoding?: string;
  choices: TextChoices;
  effect?: Effect;
  learn: LearnOptions;
  /** Whether the tree is that of a model that was opened without its documents. */
  alone?: boolean;
  /** Whether topics were divided or merged, or learning went on. */
  byHand: boolean;
}

const mostTerms = 1500;
const quoted = (text: string) =>
  /^[\w@%+=:,./<> -]+$/.test(text) && !/[<> ]/.test(text.replace(/^- < /, '')) ? text : `'${text.replaceAll("'", "'\\''")}'`;

export function commandOf({ source, fields, encoding, choices, learn }: Shown): string {
  const { ranks, restarts, seed, maxIterations, tolerance } = learn;
  const flag = (name: string, value: unknown, otherwise?: unknown) =>
    value === undefined || value === otherwise ? [] : [`--${name} ${quoted(String(value))}`];
  return [
    'orthant topics',
    source.startsWith('- < ') ? '-' : quoted(source),
    `--ranks ${ranks.join(',')}`,
    ...flag('restarts', restarts, defaults.restarts),
    ...flag('seed', seed, 0),
    ...flag('max-iterations', maxIterations, defaults.maxIterations),
    ...flag('tolerance', tolerance, defaults.tolerance),
    ...flag('text-field', fields.textField),
    ...flag('label-field', fields.labelField),
    ...flag('date-field', fields.dateField),
    ...flag('id-field', fields.idField),
    ...flag('encoding', encoding),
    ...flag('language', choices.language),
    ...flag('ngrams', choices.ngrams, 1),
    ...flag('min-documents', choices.minDocuments),
    ...flag('max-document-fraction', choices.maxDocumentFraction),
    ...flag('max-terms', choices.maxTerms, mostTerms),
    ...(choices.stopWords.length > 0 ? [`--stop-words ${quoted(choices.stopWords.join(','))}`] : []),
    ...(choices.stopList ? [] : ['--no-stop-list']),
    ...(choices.stem ? ['--stem'] : []),
    ...(source.startsWith('- < ') ? [`< ${quoted(source.slice(4))}`] : []),
  ].join(' ');
}

export function codeOf(shown: Shown): Code {
  const { source, sampled, fields, encoding, choices, effect, learn, alone, byHand } = shown;
  const language = choices.language ?? effect?.language ?? 'en';
  const entries = Object.entries({ ...fields, encoding }).filter(([, value]) => value !== undefined);
  const reading = entries.length > 0 ? `, { ${entries.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ')} }` : '';
  const stop = [
    ...(choices.stopList ? [`...(await stopWordsOf('${language}'))`] : []),
    ...choices.stopWords.map((word) => JSON.stringify(word)),
  ];
  const terms = [
    `language: '${language}'`,
    `stopWords: [${stop.join(', ')}]`,
    `maxTerms: ${choices.maxTerms ?? mostTerms}`,
    ...(choices.ngrams > 1 ? [`ngrams: ${choices.ngrams}`] : []),
    ...(choices.minDocuments === undefined ? [] : [`minDocuments: ${choices.minDocuments}`]),
    ...(choices.maxDocumentFraction === undefined ? [] : [`maxDocumentFraction: ${choices.maxDocumentFraction}`]),
    ...(choices.stem ? [`stemmer: await stemmerOf('${language}')`] : []),
  ];
  const { ranks, restarts, seed, maxIterations, tolerance } = learn;
  const fromInput = source.startsWith('- < ');
  const parser = source.endsWith('.jsonl') ? 'parseJsonLines' : 'parseTextLines';
  const texts = [
    parser,
    ...(choices.stem ? ['stemmerOf'] : []),
    ...(choices.stopList ? ['stopWordsOf'] : []),
    'termDocumentMatrix',
    'termShares',
    'topicTree',
  ].filter((name) => fromInput || name !== parser);
  const file = fromInput ? source.slice(4) : source;
  const notes = [
    ...(alone ? ['The model that was opened has neither its documents nor its options: name the documents in place of texts/.'] : []),
    ...(sampled ? ['This reads every message; the page has every third.'] : []),
    ...(byHand ? ['Topics that were divided or merged by hand, and learning that went on, are in the saved model alone.'] : []),
  ];
  const comments = (mark: string) => notes.map((note) => `${mark} ${note}\n`).join('');
  return {
    typescript: `${comments('//')}${fromInput ? "import { readFile } from 'node:fs/promises';\n" : ''}import { neuralNmf } from 'orthant';
import { createEngine${fromInput ? '' : ', readCorpus'} } from 'orthant/node';
import { ${texts.join(', ')} } from 'orthant/text';

${fromInput ? `const documents = ${parser}(await readFile(${JSON.stringify(file)}, 'utf8'), ${JSON.stringify(file)});` : `const { documents } = await readCorpus(${JSON.stringify(file)}${reading});`}
const { X, terms, documents: names } = termDocumentMatrix(documents, {
${terms.map((line) => `  ${line},`).join('\n')}
});
const engine = await createEngine();
const model = await neuralNmf(engine, X, { ranks: [${ranks.join(', ')}], restarts: ${restarts}, seed: ${seed}, maxIterations: ${maxIterations}, tolerance: ${tolerance} });
const tree = topicTree(model, terms, names, { overall: termShares(X) });
console.log(tree.map(({ label, share }) => \`\${(100 * share).toFixed(0)} % \${label}\`).join('\\n'));
engine.dispose();`,
    command: `${comments('#')}npx ${commandOf(shown)}`,
  };
}
