/** What people expect of any command: help, suggestions, a config file, silence, progress. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type FitProgress, printProgress, timeText } from '../../src/cli/progress.js';
import { columnsOf } from '../../src/cli/text-width.js';
import { lowRankCsv, runCli, smallCorpus, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const matrix = put('m.csv', lowRankCsv(10, 5, 2));
const corpus = put('c.jsonl', smallCorpus());
const quick = ['--device', 'cpu', '--max-iterations', '5'];
const commands = ['topics', 'fit', 'rank', 'sweep', 'gather', 'work', 'transform', 'predict', 'table1', 'devices', 'tune', 'completion'];

describe('help', () => {
  test.each(commands)('%s --help has an example that names the command, and the options of every command', async (name) => {
    const { status, stdout } = await runCli([name, '--help'], { columns: 100 });
    expect(status).toBe(0);
    expect(stdout.split(/^Examples?:$/m)[1]).toContain(`  orthant ${name} `.trimEnd());
    if (name !== 'completion') expect(stdout).toMatch(/--config <file>.*--quiet/s);
  });

  test('--help lists all commands and the exit statuses', async () => {
    const { stdout } = await runCli(['--help']);
    for (const name of commands) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(stdout).toMatch(/Exit status:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}130 /);
    expect(stdout).toContain('NO_COLOR');
  });
});

test.each([
  [['fitt', matrix], "unknown command 'fitt' (Did you mean fit?) See orthant --help."],
  [['fit', matrix, '--rank', '2'], "unknown option '--rank' (Did you mean --ranks?) See orthant fit --help."],
  [['fit', matrix, '--ranks=2', '--restart=2'], "unknown option '--restart' (Did you mean --restarts?) See orthant fit --help."],
  [['fit', matrix, '--ranks', '2', '--method', 'neurl'], /'neurl' is invalid\. .* \(Did you mean neural\?\) See orthant fit --help\.$/],
  [['completion', 'zssh'], /'zssh' is invalid .* \(Did you mean zsh\?\) See orthant completion --help\.$/],
  [['fit', matrix, '--ranks', '2', '--xyzzy'], "unknown option '--xyzzy'. See orthant fit --help."],
])('%j is refused with what comes nearest', async (argv, said) => {
  const { status, stdout, stderr } = await runCli(argv);
  expect([status, stdout]).toEqual([2, '']);
  if (typeof said === 'string') expect(stderr).toBe(`orthant: ${said}\n`);
  else expect(stderr.trimEnd()).toMatch(said);
});

describe('--config', () => {
  const config = (name: string, content: unknown) => put(name, typeof content === 'string' ? content : JSON.stringify(content));
  const modelOf = async (argv: string[]) => {
    const { status, stdout, stderr } = await runCli(argv);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return JSON.parse(stdout);
  };

  test('its fields are options, in the spelling of the library or of flags; flags win', async () => {
    const path = config('a.json', {
      ranks: [3, 2],
      device: 'cpu',
      maxIterations: 4,
      'no-svd-bound': true,
      seed: 7,
      json: true,
      half: false,
    });
    const model = await modelOf(['fit', matrix, '--config', path]);
    expect(model).toMatchObject({
      ranks: [3, 2],
      seed: 7,
      options: { maxIterations: 4 },
      layers: [{ svdBound: null }, { svdBound: null }],
    });
    const other = await modelOf(['fit', matrix, `--config=${path}`, '--seed', '8', '--ranks=2']);
    expect(other).toMatchObject({ ranks: [2], seed: 8, options: { maxIterations: 4 } });
  });

  test('it gives the same as the flags', async () => {
    const options = {
      ranks: 2,
      method: 'neural',
      svdBound: true,
      l1: 0.01,
      device: 'cpu',
      maxIterations: 5,
      json: true,
      missing: [-999],
      header: true,
    };
    const { times: _, ...byFile } = await modelOf(['fit', matrix, '--config', config('b.json', options)]);
    const flags = ['--ranks', '2', '--method', 'neural', '--l1', '0.01', '--json', '--missing=-999', '--header', ...quick];
    const { times: __, ...byFlags } = await modelOf(['fit', matrix, ...flags]);
    expect(byFile).toEqual(byFlags);
  });

  test('a list of an option that may be repeated is so many options', async () => {
    const path = config('seeds.json', {
      ranks: [3],
      seedTopic: ['money: whale, ocean', 'sky: star'],
      device: 'cpu',
      maxIterations: 3,
      json: true,
    });
    const { topics } = await modelOf(['topics', corpus, '--config', path]);
    expect(topics.map(({ label }: { label: string }) => label)).toEqual(
      expect.arrayContaining([expect.stringContaining('money'), expect.stringContaining('sky')]),
    );
  });

  test.each([
    [{ rank: 2 }, /has no option "rank"\. Did you mean "ranks"\?$/],
    [{ ranks: 2, 'max-iteration': 2 }, /has no option "max-iteration"\. Did you mean "max-iterations"\?$/],
    [{ zzzzzz: 1 }, /has no option "zzzzzz"\. See orthant fit --help\.$/],
    [{ config: 'x.json' }, /has no option "config"/],
    [{ maxIterations: 2, 'max-iterations': 3 }, /has "maxIterations" and "max-iterations", which are one option; give one\.$/],
    [{ half: 'yes' }, /"half" must be true or false, not "yes"\.$/],
    [{ ranks: true }, /"ranks" must be a text, a number or a list of these, not true\.$/],
    [{ ranks: { a: 1 } }, /"ranks" must be a text, a number or a list of these/],
    [{ ranks: [] }, /"ranks" is an empty list/],
    [{ ranks: 2, missing: ['a,b'] }, /"missing": "a,b" has a comma/],
    [{ ranks: 'two' }, /--ranks <list>' argument 'two' is invalid\..* See orthant fit --help\.$/],
    [[1], /must hold an object/],
    ['{', /is not JSON: /],
    ['', /is empty\.$/],
  ])('%j is refused', async (content, said) => {
    const { status, stdout, stderr } = await runCli(['fit', matrix, '--config', config('bad.json', content)]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^orthant: /);
    expect(stderr.trimEnd()).toMatch(said);
  });

  test('no file, no value, two files', async () => {
    expect((await runCli(['fit', matrix, '--config', at('none.json')])).stderr).toMatch(/There is no file/);
    expect((await runCli(['fit', matrix, '--config'])).stderr).toMatch(/'--config <file>' argument missing/);
    const path = config('c.json', { ranks: 2 });
    expect((await runCli(['fit', matrix, '--config', path, '--config', path])).stderr).toMatch(/--config is given twice/);
  });
});

describe('--quiet', () => {
  test('prints nothing, and writes what it would', async () => {
    const { status, stdout, stderr } = await runCli(['fit', matrix, '--ranks', '2', '--quiet', '--out', at('quiet'), ...quick], {
      tty: true,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(at('quiet/model.json'))).toBe(true);
  });

  test('errors and --json are printed', async () => {
    const failed = await runCli(['fit', at('none.csv'), '--ranks', '2', '--quiet']);
    expect(failed).toMatchObject({ status: 2, stdout: '' });
    expect(failed.stderr).toMatch(/There is no file/);
    const { stdout } = await runCli(['topics', corpus, '--ranks', '2', '--quiet', '--json', ...quick]);
    expect(JSON.parse(stdout).method).toBe('neural');
  });
});

describe('progress', () => {
  const check = (iteration: number, seconds: number) => ({
    stage: 'layer 1 of 3',
    iteration,
    maxIterations: 1000,
    relativeError: 0.25,
    seconds,
  });
  // 380 iterations in 10 s; the other 580 take 580/38 = 15.3 s.
  const progress: FitProgress = { first: check(40, 2), latest: check(420, 12), seconds: 12 };

  test('rate and time left', () => {
    const line = 'layer 1 of 3 ████████░░░░░░░░░░░░ iteration 420 of 1000, error 0.25000, 12 s, 38 it/s, about 16 s left';
    expect(printProgress(progress, 120)).toBe(line);
    expect(printProgress({ ...progress, seconds: 14 }, 120)).toContain(', 14 s, 38 it/s, about 14 s left');
    expect(printProgress({ ...progress, seconds: 100 }, 120)).toContain('about 0 s left');
    expect(printProgress({ ...progress, maxSeconds: 20 }, 120)).toContain('about 8 s left');
    expect(printProgress({ ...progress, latest: check(41, 3), seconds: 3 }, 120)).toContain('1.0 it/s, about 16 min left');
    expect(printProgress({ ...progress, latest: check(40, 2), seconds: 3 }, 120)).toMatch(/error 0\.25000, 3 s$/);
    expect(printProgress({ seconds: 3 }, 120)).toBe('starting, 3 s');
    expect([99, 100, 5999, 6000, 36000].map(timeText)).toEqual(['about 99 s', 'about 2 min', 'about 100 min', 'about 2 h', 'about 10 h']);
  });

  test('as much as a terminal holds', () => {
    for (let columns = 10; columns < 130; columns++) expect(columnsOf(printProgress(progress, columns))).toBeLessThan(columns);
    expect(printProgress(progress, 60)).toBe('420 of 1000, error 0.25000, about 16 s left');
    expect(printProgress(progress, 40)).toBe('420 of 1000, about 16 s left');
    expect(printProgress(progress, 12)).toBe('420/1000');
  });

  test('no colours, also on a terminal; nothing but notes on what is none', async () => {
    const onTerminal = await runCli(['fit', matrix, '--ranks', '2', ...quick], { tty: true, columns: 80 });
    expect(onTerminal.stderr).toContain('starting');
    // SGR sequences choose colours; ESC [ 0 m, which resets them, chooses none.
    expect(onTerminal.stdout + onTerminal.stderr).not.toMatch(/\[[\d;]*[1-9][\d;]*m/);
    expect((await runCli(['fit', matrix, '--ranks', '2', ...quick])).stderr).toBe('');
  });
});

test.each([24, 40, 60, 100])('no line is longer than a terminal of %i columns', async (columns) => {
  const settings = { tty: true, columns };
  const evil = put('evil.jsonl', smallCorpus().replaceAll(/"sea/g, '"\\u001b[2J\\u202e日本 sea'));
  const model = at(`narrow${columns}`);
  const fitting = await runCli(['fit', matrix, '--ranks', '3,2', '--restarts', '2', ...quick], settings);
  const topics = await runCli(['topics', evil, '--ranks', '3,2', '--flows', '--sentences', '--out', model, ...quick], settings);
  const transformed = await runCli(['transform', model, evil, '--device', 'cpu'], settings);
  for (const { status, stdout } of [fitting, topics, transformed]) {
    expect(status).toBe(0);
    // A word that no line holds, such as a path, is not broken; tables need some forty columns.
    const tooLong = stdout.split('\n').filter((line) => columnsOf(line) > Math.max(columns, 44) && !line.includes(at('')));
    expect(tooLong).toEqual([]);
  }
});

test('--out - of a command that writes a folder is refused', async () => {
  for (const argv of [
    ['fit', matrix, '--ranks', '2'],
    ['topics', corpus, '--ranks', '2'],
  ]) {
    const { status, stderr } = await runCli([...argv, '--out', '-', ...quick]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/--out of \w+ is a folder, and standard output \(-\) is none/);
  }
  expect(existsSync('-')).toBe(false);
  expect(readFileSync(matrix, 'utf8')).toContain('f0');
});
