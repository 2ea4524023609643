import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();

/** Six documents of three things, with their words, in weeks of which two are of one thing: rank 3, and two of the things share weeks. */
const docs = ['sea 1', 'sea 2', 'sky 1', 'sky 2', 'brook 1', 'brook 2'];
const words = ['whale', 'ship', 'star', 'moon', 'trout', 'creek'];
const weeks = ['w1', 'w2', 'w3', 'w4'];
const cells = docs.flatMap((doc, i) =>
  words.flatMap((word, j) =>
    weeks.flatMap((week, k) => {
      const thing = Math.floor(i / 2);
      const own = thing === Math.floor(j / 2) && (thing === 1) === k >= 2 ? 4 + ((i + 2 * j + k) % 3) : 0;
      const count = own + ((i * 7 + j * 5 + k * 3) % 11 === 0 ? 1 : 0);
      return count > 0 ? [{ doc, word, week, count, place: [i, j, k] }] : [];
    }),
  ),
);
const named = put('counts.csv', `doc,word,week,count\n${cells.map((c) => `${c.doc},${c.word},${c.week},${c.count}`).join('\n')}\n`);
const placed = put('places.tns', cells.map(({ place, count }) => `${place.map((i) => i + 1).join(' ')} ${count}`).join('\n'));
const wordList = put('words.txt', `${words.join('\n')}\n`);
const fit = [
  'tensor',
  named,
  '--rank',
  '3',
  '--ranks',
  '2',
  '--device',
  'cpu',
  '--restarts',
  '2',
  '--max-iterations',
  '60',
  '--words',
  '3',
];

describe('orthant tensor', () => {
  test('prints errors beside bounds, topics with their entries in every mode, and what they are made of', async () => {
    const { status, stdout, stderr } = await runCli(fit);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^data {10}\S*counts.csv: 6 × 6 × 4 \(doc, word, week\), sparse: \d+ entries\n/);
    const [, , error0, tucker0, bound0] = /\n +0 +3 +(\S+) +(\S+) +(\S+) +\S+\n/.exec(stdout)!.map(Number).toSpliced(1, 0, 0);
    expect(error0).toBeGreaterThanOrEqual(tucker0);
    expect(tucker0).toBeGreaterThanOrEqual(bound0);
    expect(stdout).toMatch(/level 1: 2 topics/);
    // Each outer product is one thing, in all modes.
    for (const [doc, word] of [
      ['sea', 'whale|ship'],
      ['sky', 'star|moon'],
      ['brook', 'trout|creek'],
    ])
      expect(stdout).toMatch(
        new RegExp(`product \\d\\n  doc +\\d+ %  ${doc} \\d \\d+ %, ${doc} \\d .*\\n  word +\\d+ %  (?:${word}) \\d+ %, (?:${word}) `),
      );
    expect(stdout).toMatch(/Outer products by the topics of level 1 that are in them, in percent, week:/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('--json, --out and --report have the same model; places and files of names give the same topics', async () => {
    const lists = Object.entries({ doc: docs, word: words, week: weeks }).flatMap(([mode, names]) => [
      '--entries',
      `${mode}=${put(`${mode}.txt`, names.join('\n'))}`,
    ]);
    const { stdout } = await runCli([...fit, ...lists, '--json', '--out', at('model'), '--report', at('model/report.html')]);
    const model = JSON.parse(stdout);
    expect(model).toEqual(JSON.parse(readFileSync(at('model/model.json'), 'utf8')));
    expect(model).toMatchObject({
      method: 'neural-ncp',
      shape: [6, 6, 4],
      rank: 3,
      ranks: [2],
      modes: [{ name: 'doc', entries: docs }, {}, {}],
    });
    expect(readdirSync(at('model'))).toEqual(
      expect.arrayContaining(['A0.0.npy', 'F2.npy', 'S1.0.npy', 'factors.safetensors', 'report.html']),
    );
    const page = readFileSync(at('model/report.html'), 'utf8');
    expect(page).toContain('<h2 id="level-1">Level 1: 2 topics</h2>');
    expect(page).toContain('orthant tensor');
    const options = ['--mode-names', 'doc,word,week', '--entries', `word=${wordList}`];
    const again = JSON.parse((await runCli(['tensor', placed, ...fit.slice(2), '--json', ...options])).stdout);
    expect(again.levels).toEqual(model.levels);
    expect(again.modes).toEqual([{ name: 'doc' }, { name: 'word', entries: words }, { name: 'week' }]);
    const first = (found: typeof model) => found.topics.levels[1].topics[0].modes[1];
    expect(first(again)).toEqual(first(model));
  });

  test('without --ranks there are the outer products alone, and other methods say their errors', async () => {
    const products = ['tensor', named, '--rank', '3', '--device', 'cpu', '--json', '--no-bounds', '--starts', '4'];
    const flat = JSON.parse((await runCli(products)).stdout);
    expect(flat).toMatchObject({ method: 'ncp', levels: [{ rank: 3, modeBound: null }] });
    for (const [method, topicModes] of [
      ['sequential', 3],
      ['hntf', 3],
    ] as const) {
      const { stdout, status } = await runCli([...products, '--ranks', '2', '--method', method]);
      expect(status).toBe(0);
      const found = JSON.parse(stdout);
      expect(found.method).toBe(method);
      expect(found.levels.map(({ rank }: { rank: number }) => rank)).toEqual([3, 2]);
      expect(found.levels[1].relativeError).toBeGreaterThan(found.levels[0].relativeError);
      expect(found.topics.levels[1].topics[0].modes).toHaveLength(topicModes);
    }
  });

  test('what makes no sense is refused by flag', async () => {
    const refused = async (args: string[], message: string | RegExp) => {
      const { status, stderr } = await runCli(args);
      expect(stderr).toMatch(message);
      expect(status).toBe(2);
    };
    const base = ['tensor', named, '--device', 'cpu', '--rank', '3'];
    await refused(['tensor', named], '--rank');
    await refused([...base, '--ranks', '2,3'], /ranks\[1\].*is 3, more than the 2/);
    await refused([...base, '--chains', '2'], '--chains is for levels of topics; give --ranks');
    await refused([...base, '--method', 'hntf'], '--method hntf needs --ranks');
    await refused(
      [...base, '--ranks', '2', '--method', 'hntf', '--out', at('no')],
      /--method hntf has no option --out: models are of --method neural/,
    );
    await refused([...base, '--ranks', '2', '--modes', 'words'], /There is no mode "words": modes are 0 to 2, or "doc", "word" or "week"/);
    await refused([...base, '--mode-names', 'a,b'], /--mode-names has 2 names, but \S+ has 3 modes/);
    await refused([...base, '--entries', 'words.txt'], '--entries must be a mode and a file');
    await refused([...base, '--entries', `week=${wordList}`], /"w1", which is not among the 6 entries/);
    await refused(['tensor', put('minus.csv', '0,0,0,1\n1,1,1,-1\n'), '--rank', '2'], /minus.csv has the entry -1 at \[1, 1, 1\]/);
  });
});

test('orthant transform gives the topics of new slices of a sparse table, the same on a device', async () => {
  await runCli([...fit, '--out', at('fitted')]);
  const week = put(
    'week.csv',
    `doc,word,week,count\n${cells
      .filter((c) => c.week === 'w3')
      .map((c) => `${c.doc},${c.word},new,${c.count}`)
      .join('\n')}\n`,
  );
  const slices = ['transform', at('fitted'), week, '--mode', 'week'];
  const found = await Promise.all(
    ['cpu', 'software'].map(async (device) => JSON.parse((await runCli([...slices, '--json', '--device', device])).stdout)),
  );
  expect(found[0]).toMatchObject({
    mode: 2,
    slices: ['new'],
    levels: [
      { level: 0, rank: 3 },
      { level: 1, rank: 2 },
    ],
  });
  found[0].levels.forEach(({ weights }: { weights: number[][] }, l: number) => {
    expect(found[1].levels[l].weights[0]).toEqual(weights[0].map((x) => expect.closeTo(x, 4)));
  });
  const { stdout, stderr } = await runCli([...slices, '--out', '-', '--layer', '0', '--device', 'cpu']);
  expect(stdout).toMatch(/^,product 0,product 1,product 2\nnew,/);
  expect(stderr).toMatch(/standard output: level 0 \(1×3\) for 1 slices along week, by neural-ncp/);
  const refused = async (args: string[], message: string) => {
    const { status, stderr: said } = await runCli([...args, '--device', 'cpu', '--out', '-']);
    expect([status, said]).toEqual([2, expect.stringContaining(message)]);
  };
  await refused(['transform', at('fitted'), week], '"new", which is not among the 4 entries');
  await refused([...slices, '--layer', '2'], '--layer 2 is not there: the model has the levels 0, 1');
  await refused([...slices, '--header'], '--header is for matrices and texts');
});
