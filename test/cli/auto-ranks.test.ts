/** `fit --ranks auto`: the reading of the option, the fit with the ranks that were chosen, and what is refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { planted } from '../../bench/ranks/planted.js';
import { parseRanksOrAuto } from '../../src/cli/auto-ranks.js';
import { transpose } from '../../src/data/matrix.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { runCli, workFolder } from '../support/cli.js';

const work = workFolder();
const npy = work.put('x.npy', encodeNpy(transpose(planted(16, 14, 2, { noise: 0.05, zeros: 0.3, seed: 2 }))));
const fitWith = (...argv: string[]) => runCli(['fit', npy, ...argv, '--device', 'cpu', '--no-svd-bound', '--max-iterations', '20']);

test('the option is read', () => {
  expect(parseRanksOrAuto('9,4,2')).toEqual([9, 4, 2]);
  expect(parseRanksOrAuto('auto')).toEqual({ layers: 'auto', rest: [] });
  expect(parseRanksOrAuto('auto:2..4')).toEqual({ layers: 'auto', tried: [2, 3, 4], rest: [] });
  expect(parseRanksOrAuto('auto,auto,auto')).toEqual({ layers: 3, rest: [] });
  expect(parseRanksOrAuto('auto:3..5,auto,2,1')).toEqual({ layers: 2, tried: [3, 4, 5], rest: [2, 1] });
  for (const [text, message] of [
    ['autos', /positive integers|auto/],
    ['auto:', /auto with ranks to try/],
    ['auto:5..2', /runs backwards; write 2\.\.5/],
    ['auto,3,auto', /come first/],
    ['auto,auto:2..4', /at the first one/],
    ['auto,x', /positive integers/],
  ] as const)
    expect(() => parseRanksOrAuto(text), text).toThrow(message);
});

test.each(['hierarchical', 'neural'])('%s is fitted with the ranks that were chosen, and says why', async (method) => {
  const out = work.at(method);
  const { status, stdout } = await fitWith(
    '--method',
    method,
    '--ranks',
    'auto:1..3,1',
    '--restarts',
    '1',
    '--out',
    out,
    '--report',
    `${out}.html`,
  );
  expect(status).toBe(0);
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/^layer 0: rank 2\. Rank 2 /);
  expect(stdout).toMatch(new RegExp(`method +${method}, ranks 2, 1,`));
  const { ranks, rankChoices } = JSON.parse(readFileSync(`${out}/model.json`, 'utf8'));
  expect(ranks).toEqual([2, 1]);
  expect(rankChoices).toEqual([{ layer: 0, rank: 2, reason: expect.stringContaining('held-out') }]);
  const [, json] = /<script type="application\/json" id="data">([^<]*)</.exec(readFileSync(`${out}.html`, 'utf8'))!;
  const [survey, ...others] = JSON.parse(json).surveys;
  expect(others).toEqual([]);
  expect(survey).toMatchObject({ layer: 0, chosen: 2, reason: rankChoices[0].reason });
  expect(survey.ranks.map(({ rank }: { rank: number }) => rank)).toEqual([1, 2, 3]);
  expect(survey.ranks[1].heldOut).toBeLessThan(survey.ranks[0].heldOut);
});

test('auto alone ends by itself; with --json the sentences are on standard error', async () => {
  const { status, stdout, stderr } = await fitWith('--method', 'hierarchical', '--ranks', 'auto:2..3', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout).ranks).toEqual([2]);
  expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/layer 0: rank 2\. .* Rank 2 is the last: ranks end at 2\./);
});

describe('bad input', () => {
  test.each<[string, string[], RegExp]>([
    ['several layers of nmf', ['--method', 'nmf', '--ranks', 'auto,auto'], /--method nmf takes one rank/],
    ['factors that have ranks', ['--ranks', 'auto', '--start', '.'], /the factors of --start have theirs/],
    ['weights', ['--method', 'nmf', '--ranks', 'auto', '--weights', 'w.csv'], /--ranks auto knows of no --weights/],
    ['an online fit', ['--online', '--ranks', 'auto'], /--ranks auto reads a matrix whole|does not go with --online/],
    [
      'a report that is no page, before anything is fitted',
      ['--ranks', 'auto', '--report', 'page.txt'],
      /^orthant: --report writes a page of HTML/,
    ],
    ['ranks beyond the matrix', ['--ranks', 'auto:2..40'], /more than a 16×14 matrix can use/],
    ['a word', ['--ranks', 'auto:few'], /range such as 2\.\.15/],
  ])('%s', async (_, options, message) => {
    const { status, stderr } = await fitWith(...options);
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
