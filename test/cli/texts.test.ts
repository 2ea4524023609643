/** Texts on the command line: languages, fields, standard input, labels, and the topics of new texts. */
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { printer } from '../../src/cli/io.js';
import { printTopicsOf } from '../../src/cli/transform-texts.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { transform } from '../../src/models/apply.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { parseJsonLines } from '../../src/text/documents.js';
import { termDocumentMatrix } from '../../src/text/term-document.js';
import type { Vocabulary } from '../../src/text/vocabulary.js';
import { runCli, smallCorpus, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const quick = ['--device', 'cpu', '--no-svd-bound', '--max-iterations', '30'];

interface TopicsJson {
  terms: string[];
  text: Vocabulary;
  topics: { terms: { term: string }[] }[];
  agreements?: { labels: string; layer: number; documents: number; samples: number; purity: number; nmi: number }[];
}

async function topics(argv: string[], stdin?: string[]): Promise<TopicsJson> {
  const { status, stdout, stderr } = await runCli(['topics', ...argv, ...quick, '--json'], { stdin });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}
const wordsOf = ({ topics }: TopicsJson) => topics.map(({ terms }) => terms.map(({ term }) => term));
const lines = (records: unknown[]) => records.map((record) => JSON.stringify(record)).join('\n');

test('Chinese and Japanese with no options given: two topics each', async () => {
  // Texts on learning and on markets, each twice.
  const chinese = [
    '机器学习模型训练数据',
    '神经网络模型学习数据',
    '股票市场价格上涨',
    '市场经济价格下跌',
    '训练神经网络数据集',
    '经济增长股票投资',
  ];
  const found = await topics([put('zh.jsonl', lines([...chinese, ...chinese].map((text) => ({ text })))), '--ranks', '2']);
  expect(found.terms).toHaveLength(15);
  const [learning, markets] = wordsOf(found).sort((a, b) => Number(b.includes('数据')) - Number(a.includes('数据')));
  expect(learning).toEqual(expect.arrayContaining(['数据', '模型', '学习', '神经', '网络']));
  expect(markets).toEqual(expect.arrayContaining(['股票', '市场', '价格', '经济']));
  expect(learning.filter((term) => markets.includes(term))).toEqual([]);

  const japanese = ['野菜と肉を鍋で煮る', '鍋で魚と野菜を煮る', '投手が試合に勝った', '試合で打者と投手が戦う'];
  const parts = wordsOf(await topics([put('ja.jsonl', lines([...japanese, ...japanese].map((text) => ({ text })))), '--ranks', '2']));
  expect(parts.map((words) => [words.includes('鍋'), words.includes('投手')].join()).sort()).toEqual(['false,true', 'true,false']);
});

test('options of words and terms reach the matrix and model.json', async () => {
  const corpus = put('small.jsonl', smallCorpus());
  const given = [
    '--language',
    'en',
    '--ngrams',
    '1-2',
    '--min-documents',
    '3',
    '--max-documents',
    '4',
    '--min-length',
    '5',
    '--keep-words',
    'sky,star',
  ];
  const file = put('stop.txt', 'whale\nocean, ship\n');
  const { terms, text } = await topics([
    corpus,
    '--ranks',
    '2',
    ...given,
    '--stop-words',
    `@${file},comet`,
    '--weighting',
    'counts',
    '--no-stop-list',
  ]);
  expect(terms).toContain('star');
  expect(terms).toContain('planet orbit');
  for (const term of ['whale', 'ocean', 'ship', 'comet', 'boat']) expect(terms.join(' ').split(' ')).not.toContain(term);
  expect(text).toMatchObject({ weighting: 'counts', idf: null, language: 'en', terms });
  expect(text.options).toMatchObject({
    minLength: 5,
    ngrams: [1, 2],
    stopWords: ['whale', 'ocean', 'ship', 'comet'],
    keepWords: ['sky', 'star'],
  });
});

test('--preset sklearn is what scikit-learn counts; --stem cuts', async () => {
  const corpus = put('sk.jsonl', lines([{ text: 'It is 42 whales' }, { text: 'is a whale' }]));
  expect((await topics([corpus, '--ranks', '1', '--preset', 'sklearn'])).terms).toEqual(['42', 'is', 'it', 'whale', 'whales']);
  const stems = await topics([corpus, '--ranks', '1', '--language', 'en', '--stem', '--max-document-fraction', '1']);
  expect(stems.terms).toEqual(['whale']);
  expect(stems.text.options.stemming).toBe('en');
});

test('documents on standard input', async () => {
  const { stdout } = await runCli(['topics', '-', '--ranks', '2', ...quick], {
    stdin: ['whale ocean\nwhale ship ocean\n', 'star moon\nmoon star planet\n'],
  });
  expect(stdout).toMatch(/^standard input: 4 documents, 6 terms/);
  expect(stdout).toMatch(/Language: English \(assumed; --language settles it\), 149 stop words left out\./);
});

test('labels: purity and NMI of every layer, documents without a label left out', async () => {
  const records = smallCorpus()
    .split('\n')
    .map((line, i) => ({ ...JSON.parse(line), theme: i === 0 ? 'NA' : JSON.parse(line).name.slice(0, 3) }));
  const corpus = put('labelled.jsonl', lines(records));
  const { agreements } = await topics([corpus, '--label-field', 'theme', '--ranks', '3,2', '--restarts', '4']);
  expect(agreements).toHaveLength(2);
  expect(agreements![0]).toMatchObject({ labels: 'theme', layer: 0, samples: 11, classes: 3, purity: 1 });
  expect(agreements![0].nmi).toBeCloseTo(1);
  const { stdout } = await runCli(['topics', corpus, '--label-field', 'theme', '--ranks', '3,2', '--restarts', '4', ...quick]);
  expect(stdout).toMatch(/labels +classes +documents +layer +topics +NMI +purity\ntheme +3 +11 +0 +3 +1\.000 +1\.000\n/);
});

describe('new texts', async () => {
  const documents = parseJsonLines(smallCorpus(), 'small');
  const { X, terms, vocabulary } = termDocumentMatrix(documents);
  const engine = createReferenceEngine();
  const model = Object.assign(await neuralNmf(engine, X, { ranks: [3, 2], restarts: 4, maxIterations: 50, svdBound: false }), {
    text: vocabulary,
  });
  const news = put(
    'new.jsonl',
    lines([
      { name: 'a', text: 'a comet, a planet and the moon' },
      { name: 'b', text: 'Whales? A whale!' },
      { name: 'c', text: 'tax' },
    ]),
  );

  async function apply(options: object, stdin?: string): Promise<string> {
    let text = '';
    const sink = new Writable({
      write(chunk, _, done) {
        text += String(chunk);
        done();
      },
    });
    const out = printer(Object.assign(sink, { isTTY: false, columns: 100 }));
    const io = { stdout: out, stderr: out, argv: [], env: {}, signal: new AbortController().signal, stdin: () => [stdin ?? ''] as never };
    await printTopicsOf(io, { model, modelPath: 'm' }, stdin === undefined ? news : '-', { device: 'cpu', ...options });
    return text;
  }

  test('are told their topics', async () => {
    const said = await apply({ layer: 0, out: at('S.csv') });
    expect(said).toMatch(/^new: 3 documents, 4 of the \d+ terms, by neural on f64 reference/);
    expect(said).toMatch(/\na +100 % topic \d {2}.*(star|planet|orbit|moon|comet|telescope)/);
    expect(said).toMatch(/\nb +100 % topic \d {2}.*(whale|ocean|ship|harbor|sail|water)/);
    expect(said).toMatch(/\nc +–\n/);
    expect(said).toMatch(/\n1 document has none of the terms, so it has no topic: c\n/);
    expect(readFileSync(at('S.csv'), 'utf8').trim().split('\n').length).toBeGreaterThanOrEqual(3);
  });

  test('as JSON, from standard input', async () => {
    const found = JSON.parse(await apply({ layer: 0, json: true }, 'orbit of a moon\nboat on a river'));
    expect(found.topics).toHaveLength(3);
    const [first, second] = found.documents as { name: string; topics: { index: number; share: number }[] }[];
    expect(first.name).toBe('line 1');
    expect(found.topics[first.topics[0].index].terms).toContain('planet');
    expect(found.topics[second.topics[0].index].terms).toContain('trout');
    expect(first.topics.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });

  test('of the corpus itself have the coefficients of the fit, and terms of another corpus are refused', async () => {
    const [S0] = await transform(engine, model, termDocumentMatrix(documents, { vocabulary }).X, { features: terms });
    S0.data.forEach((value, p) => {
      expect(value).toBeCloseTo(model.S[0].data[p], 4);
    });
    const other = termDocumentMatrix(documents.map(({ name, text }) => ({ name, text: text.replaceAll('whale', 'tax') })));
    expect(other.terms).toHaveLength(terms.length);
    await expect(transform(engine, model, other.X, { features: other.terms })).rejects.toThrow(
      'The features of newX are not those of the model: it lacks whale and the model does not know tax. Texts take the rows',
    );
    await expect(transform(engine, model, X, { features: ['a'] })).rejects.toThrow('There are 1 names of features for');
  });
});

test('a model that topics wrote gives the topics of new texts', async () => {
  const corpus = put('written.jsonl', smallCorpus());
  const written = await runCli(['topics', corpus, '--ranks', '3,2', '--restarts', '4', '--ngrams', '2', '--out', at('model'), ...quick]);
  expect(written).toMatchObject({ status: 0, stderr: '' });
  const { status, stdout, stderr } = await runCli(['transform', at('model'), '-', '--layer', '0', '--device', 'cpu'], {
    stdin: ['river stream\nmoon star orbit\n'],
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/\nline 1 +100 % topic \d {2}.*(trout|stream|boat|river)/);
  expect(stdout).toMatch(/\nline 2 +100 % topic \d {2}.*(orbit|telescope|comet|planet)/);
});

test('a table with a column "text" has texts for a model of texts, and is a matrix if its columns are terms', async () => {
  const corpus = put('for-tables.jsonl', smallCorpus());
  expect(await runCli(['topics', corpus, '--ranks', '3', '--out', at('of-texts'), ...quick])).toMatchObject({ status: 0 });
  const apply = (data: string, ...more: string[]) => runCli(['transform', at('of-texts'), data, '--device', 'cpu', ...more]);
  const table = await apply(put('new.csv', 'name,text\na,"moon, star and orbit"\n'));
  expect(table).toMatchObject({ status: 0, stderr: '' });
  expect(table.stdout).toMatch(/\na +100 % topic \d {2}.*(orbit|telescope|comet|planet)/);
  // As many terms as the model has, but others.
  const { text, samples } = JSON.parse(readFileSync(at('of-texts/model.json'), 'utf8'));
  expect(samples).toHaveLength(12);
  const others = text.terms.map((_: string, i: number) => `w${i}`);
  const { status, stderr } = await apply(
    put('others.csv', `${others.join()}\n${others.map(() => '1').join()}\n`),
    '--out',
    at('others-S.csv'),
  );
  expect({ status, stderr }).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/others.csv are not those of .*of-texts: it lacks /),
  });
  const classes = await runCli(['predict', at('of-texts'), put('new.csv', 'text\nmoon\n'), '--device', 'cpu']);
  expect(classes.stderr).toMatch(/of-texts was fitted without labels, so it knows no classes/);
});

test('what a newcomer meets: another field, no --out, a date that is none', async () => {
  const body = await runCli(['topics', put('body.jsonl', '{"body":"ship"}\n'), '--ranks', '1', ...quick]);
  expect(body.stderr).toMatch(/must be an object with a string "text"\. It has "body": choose one by (the option )?--text-field\.$/m);
  const noOut = async (path: string) => (await runCli(['transform', at('model'), path, '--device', 'cpu'])).stderr;
  expect(await noOut(put('m.csv', '1,2\n'))).toMatch(
    /m\.csv is read as a matrix, and S needs a file, or - for standard output\. If it is a table of texts, name .* --text-field\./,
  );
  expect(await noOut(put('m.txt', '1,2\n'))).toMatch(/Texts, one a line, come on standard input: -\./);
  expect(await noOut(at('nothing.csv'))).toMatch(/There is no file '.*nothing\.csv'\./);
  const records = smallCorpus()
    .split('\n')
    .map((line, i) => ({ ...JSON.parse(line), date: i < 2 ? ['soon', '2024-13-45'][i] : `${1990 + (i % 2)}` }));
  const dated = await runCli(['topics', put('dates.jsonl', lines(records)), '--date-field', 'date', '--ranks', '2', ...quick]);
  expect(dated.stdout).toContain('\nLeft out: 2 documents without a date that can be read.\n');
});
