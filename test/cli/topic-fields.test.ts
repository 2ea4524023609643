import { expect, test } from 'vitest';
import { runCli, smallCorpus, workFolder } from '../support/cli.js';

const { at, put } = workFolder();

/** The small corpus with the theme of each text as a label, and a date: texts of the sea are of 1990, the others of 2001 and after. */
const fields = smallCorpus()
  .split('\n')
  .map((line, i) => {
    const record = JSON.parse(line) as { name: string; text: string };
    const theme = record.name.replace(/\d/, '');
    return JSON.stringify({
      ...record,
      theme,
      same: 'x',
      when: theme === 'sea' ? `1990-0${1 + (i % 9)}` : `${2001 + i}-05-01`,
      odd: 'soon',
    });
  })
  .join('\n');
const corpus = put('fields.jsonl', fields);
const topics = (...more: string[]) => runCli(['topics', corpus, '--ranks', '3', '--device', 'cpu', '--max-iterations', '30', ...more]);

test('shares by label and by date', async () => {
  const { stdout } = await topics('--label-field', 'theme', '--date-field', 'when');
  const lines = stdout.split('\n');
  const rowsAfter = (title: string, count: number) => {
    const at = lines.indexOf(title);
    return lines.slice(at + 2, at + 2 + count).map((line) => line.trim().split(/ {2,}/));
  };
  // Every theme is one topic.
  for (const [name, ...shares] of rowsAfter('Shares of the topics by label, in percent:', 3)) {
    expect(['brook', 'sea', 'sky']).toContain(name);
    expect(Math.max(...shares.map((share) => Number(share) || 0))).toBeGreaterThan(90);
  }
  const years = rowsAfter('Shares of the topics by date, in percent:', 9).map(([year]) => year);
  expect(years).toEqual(['1990', '2005', '2006', '2007', '2008', '2009', '2010', '2011', '2012']);
  const byDecade = JSON.parse((await topics('--date-field', 'when', '--by', 'decade', '--json')).stdout);
  expect(byDecade.shares.date.groups).toEqual([
    { name: '1990s', documents: 4 },
    { name: '2000s', documents: 5 },
    { name: '2010s', documents: 3 },
  ]);
  expect(byDecade.shares.date.layers[0][0]).toHaveLength(3);
});

test('a field that says nothing is refused by its name', async () => {
  const refused = async (...more: string[]) => {
    const { status, stderr } = await topics(...more);
    expect(status).toBe(2);
    return stderr;
  };
  expect(await refused('--label-field', 'same')).toMatch(
    /--label-field: .*two values of it at least, but every one that a document has is "x"/,
  );
  expect(await refused('--date-field', 'odd')).toMatch(/--date-field: No date can be read, such as "soon"/);
});

test('a stored model finds topics, too', async () => {
  const model = at('model');
  await topics('--out', model);
  const { status, stdout } = await runCli(['topics', '--model', model, '--find', 'a comet and its telescope']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^layer 0\n0\.\d\d {2}(star|planet|orbit|moon|comet|telescope) · /m);
  const refused = async (...more: string[]) => {
    const run = await runCli(['topics', ...more]);
    expect(run.status).toBe(2);
    return run.stderr;
  };
  expect(await refused('--model', model)).toMatch(/--model needs --find/);
  expect(await refused('--model', model, '--find', 'xyzzy')).toMatch(/--find: the text "xyzzy" has none of the \d+ terms/);
  expect(await refused('--ranks', '3')).toMatch(/missing required argument 'corpus'/);
  expect(await refused(corpus)).toMatch(/required option '--ranks <list>' not specified/);
});
