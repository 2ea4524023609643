import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allTopics, type Topic } from '../../src/topics/tree.js';
import { runCli, smallCorpus, workFolder } from '../support/cli.js';

const { put } = workFolder();
const corpus = put('small.jsonl', smallCorpus());
const topics = (...more: string[]) => ['topics', corpus, '--ranks', '3,2', '--device', 'cpu', '--max-iterations', '30', ...more];

interface Printed {
  topics: Topic[];
  quality: { layer: number; diversity: number; coherence: Record<string, number> }[];
  flows: { layer: number; shares: number[][] }[];
  nearest?: { layer: number; index: number; similarity: number }[][];
}
const jsonOf = async (...more: string[]) => JSON.parse((await runCli(topics(...more, '--json'))).stdout) as Printed;

describe('what topics prints', () => {
  test('labels, parts of the topic above, coherence, diversity', async () => {
    const { stdout } = await runCli(topics());
    expect(stdout).toMatch(/─ +\d+ % {2}(star|planet|orbit|moon|comet|telescope) · .* {2}↑ \d+ %/);
    expect(stdout).toMatch(/^topic +share {2}C_NPMI +C_V +C_UCI +UMass$/m);
    expect(stdout).toMatch(/^all of layer 1 /m);
    expect(stdout.replaceAll('\n', ' ')).toMatch(/different words among the 25 heaviest: \d+ % in layer 1, \d+ % in layer 0\./);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('nothing beyond a narrow terminal', async () => {
    const { stdout } = await runCli(topics('--flows', '--sentences'), { columns: 50 });
    // What is below the topics are the measures of the fit, as for every method.
    for (const line of stdout.split('\nlayer  rank')[0].split('\n').slice(3)) expect(line.length, line).toBeLessThanOrEqual(50);
  });

  test('--json has all of it', async () => {
    const { topics: tree, quality, flows } = await jsonOf();
    const all = allTopics(tree);
    expect(new Set(all.map(({ label }) => label)).size).toBe(5);
    for (const { terms, relevant, coherence, documents } of all) {
      expect(terms[0]).toEqual({ term: expect.any(String), weight: expect.any(Number), overall: expect.any(Number) });
      expect(relevant[0].relevance).toBeLessThan(0);
      expect(coherence!.cNpmi).toBeGreaterThan(-1.01);
      // Each text is one sentence.
      expect(documents[0].sentence!.split(' ').length).toBeGreaterThan(5);
    }
    expect(quality.map(({ layer }) => layer)).toEqual([0, 1]);
    expect(flows).toHaveLength(1);
    expect(flows[0].shares.flat().reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
  });

  test('--flows prints how topics flow', async () => {
    const { stdout } = await runCli(topics('--flows'));
    const lines = stdout.split('\n');
    const at = lines.indexOf('From layer 0 to layer 1, percent of each topic:');
    for (const line of lines.slice(at + 2, at + 5)) {
      const parts = line
        .trim()
        .split(/ {2,}/)
        .slice(1)
        .map((part) => (part === '·' ? 0 : Number(part)));
      expect(parts).toHaveLength(2);
      expect(parts[0] + parts[1]).toBeGreaterThanOrEqual(99);
      expect(parts[0] + parts[1]).toBeLessThanOrEqual(101);
    }
  });

  test('--relevance orders words, and the bounds are said', async () => {
    // A word that every text has is the heaviest of each topic, and the least relevant one.
    const world = put('world.jsonl', smallCorpus().replaceAll('"text":"', `"text":"${'world '.repeat(9)}`));
    const wordsBy = async (...more: string[]) => {
      const counted = ['topics', world, '--ranks', '3', '--device', 'cpu', '--max-document-fraction', '1', '--max-iterations', '30'];
      const { stdout } = await runCli([...counted, ...more], { columns: 160 });
      return stdout
        .split('\n')
        .filter((line) => /^ +\w+(, \w+){3,}$/.test(line))
        .map((line) => line.trim());
    };
    for (const line of await wordsBy()) expect(line).toMatch(/^world, /);
    const byLift = await wordsBy('--relevance', '0');
    expect(byLift).toHaveLength(3);
    for (const line of byLift) expect(line).not.toMatch(/^world/);
    for (const value of ['1.5', '-1', 'x', '']) {
      const { status, stderr } = await runCli(topics(`--relevance=${value}`));
      expect(status).toBe(2);
      expect(stderr).toMatch(/--relevance.*It must be a number from 0 to 1/);
    }
  });
});

describe('--min-children', () => {
  test('gives every topic so many', async () => {
    const { topics: tree } = await jsonOf('--min-children', '1');
    expect(
      tree
        .filter(({ layer }) => layer === 1)
        .map(({ children }) => children.length)
        .sort(),
    ).toEqual([1, 2]);
  });

  test('that cannot be is refused before the fit', async () => {
    const { status, stderr } = await runCli(topics('--min-children', '2'));
    expect(status).toBe(2);
    expect(stderr).toMatch(/--min-children is 2, which takes 2 × 2 = 4 topics below the 2, but there are 3; give at most 1/);
  });
});

test.each([
  [['--flows'], /--flows needs two layers or more, and --ranks 3 is one; leave it out/],
  [['--min-children', '2'], /--min-children needs two layers or more, and --ranks 3 is one; leave it out/],
  [['--seed-topic', 'sky: moonn'], /--seed-topic: A seed word is not among the .*did you mean "moon"/],
])('%j with one layer, or a word that is no term, is refused by its own name', async (more, message) => {
  const { status, stderr } = await runCli(['topics', corpus, '--ranks', '3', '--device', 'cpu', ...more]);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});

describe('seed words', () => {
  test('name the topic that has them', async () => {
    const file = put('seeds.txt', '# of the sky\nsky: telescope, moon\n');
    const { topics: tree } = await jsonOf('--seed-words', file, '--seed-topic', 'sea: whale, harbor');
    const all = allTopics(tree);
    const named = (name: string) => all.find(({ label }) => label === name)!;
    expect([named('sky').index, named('sea').index]).toEqual([0, 1]);
    expect(named('sky').terms.map(({ term }) => term)).toEqual(expect.arrayContaining(['telescope', 'moon']));
    expect(named('sky').documents.every(({ name }) => name.startsWith('sky'))).toBe(true);
    expect(named('sea').documents.every(({ name }) => name.startsWith('sea'))).toBe(true);
  });

  test('alone', async () => {
    const { topics: tree } = await jsonOf('--seed-topic', 'sky: telescope, moon', '--only-seed-words');
    const sky = allTopics(tree).find(({ label }) => label === 'sky')!;
    expect(sky.terms.map(({ term }) => term).sort()).toEqual(['moon', 'telescope']);
  });

  test('that are no term are named, with the nearest', async () => {
    const refused = async (...more: string[]) => {
      const { status, stderr } = await runCli(topics(...more));
      expect(status).toBe(2);
      return stderr;
    };
    expect(await refused('--seed-topic', 'sky: telescop, moon, xyzzyx')).toMatch(
      /2 seed words are not among the \d+ terms: "telescop" of "sky" \(did you mean "telescope"\?\) and "xyzzyx" of "sky"/,
    );
    expect(await refused('--seed-topic', 'sky')).toMatch(/--seed-topic is "sky", but a name and words are needed/);
    expect(await refused('--only-seed-words')).toMatch(/--only-seed-words does nothing without --seed-words/);
    expect(await refused('--seed-words', put('none.txt', '\n# none\n'))).toMatch(/none.txt has no seed words/);
  });
});

describe('--find', () => {
  test('lists the nearest topics of every layer', async () => {
    const { stdout } = await runCli(topics('--find', 'a comet and its telescope'));
    expect(stdout).toMatch(/The nearest topics to "a comet and its telescope"/);
    const [, upper, lower] = stdout.split(/^layer \d$/m);
    for (const part of [upper, lower]) expect(part).toMatch(/^\n0\.\d\d {2}(star|planet|orbit|moon|comet|telescope) · /);
    expect(stdout).not.toContain('↑');
    const { nearest } = await jsonOf('--find', 'a comet and its telescope');
    expect(nearest).toHaveLength(2);
    expect(nearest![0][0].similarity).toBeGreaterThan(0.3);
  });

  test('needs words that are terms', async () => {
    const none = await runCli(topics('--find', 'xyzzy'));
    expect(none.status).toBe(2);
    expect(none.stderr).toMatch(/--find: the text "xyzzy" has none of the \d+ terms/);
    for (const empty of ['', '  ']) {
      const { status, stderr } = await runCli(topics('--find', empty));
      expect(status).toBe(2);
      expect(stderr).toMatch(/--find.*It is empty/);
    }
  });
});

test('--by needs dates', async () => {
  const { status, stderr } = await runCli(topics('--by', 'year'));
  expect(status).toBe(2);
  expect(stderr).toMatch(/--by year needs dates, and no document has one/);
});

test('the help has these options', async () => {
  const { stdout } = await runCli(['topics', '--help']);
  const source = readFileSync('docs/topics.md', 'utf8');
  for (const flag of [
    '--relevance',
    '--sentences',
    '--min-children',
    '--seed-words',
    '--seed-topic',
    '--only-seed-words',
    '--by',
    '--flows',
    '--find',
  ]) {
    expect(stdout).toContain(flag);
    expect(source).toContain(flag);
  }
});
