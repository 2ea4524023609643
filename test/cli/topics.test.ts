import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { printTree } from '../../src/cli/print-tree.js';
import { matrix } from '../../src/data/matrix.js';
import { type Topic, topicTree } from '../../src/topics/tree.js';
import { runCli, smallCorpus, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const corpus = put('small.jsonl', smallCorpus());
const fit = ['topics', corpus, '--ranks', '3,2', '--device', 'cpu', '--words', '4', '--restarts', '4'];

describe('orthant topics', () => {
  test('prints the documents, the tree, the errors, the device and the time', async () => {
    const { status, stdout, stderr } = await runCli(fit);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^small: 12 documents, \d+ terms, on f64 reference on the CPU\n/);
    expect(stdout).toMatch(/─ +\d+ % {2}.*(star|planet|orbit|moon|comet|telescope)/);
    expect(stdout).toMatch(/e\.g\. .*sky/);
    expect(stdout).toMatch(/error ÷ bound\n +0 +3 /);
    expect(stdout).toMatch(/time +\d/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('--json and --out carry terms, documents and the tree', async () => {
    const { stdout } = await runCli([...fit, '--json', '--out', at('model')]);
    const model = JSON.parse(stdout);
    expect(model).toEqual(JSON.parse(readFileSync(at('model/model.json'), 'utf8')));
    expect(readdirSync(at('model')).sort()).toEqual(['A0.npy', 'A1.npy', 'S0.npy', 'S1.npy', 'factors.safetensors', 'model.json']);
    expect(model.documents).toHaveLength(12);
    expect(model.shape).toEqual({ features: model.terms.length, samples: 12 });
    const topics = model.topics as Topic[];
    const leaves = topics.flatMap((topic) => (topic.layer === 0 ? [topic] : topic.children));
    expect(leaves).toHaveLength(3);
    // Each leaf is one theme: its documents and no others.
    const themes = leaves.map(({ documents }) => new Set(documents.map(({ name }) => name.replace(/\d/, ''))));
    expect(themes.map((theme) => [...theme].join()).sort()).toEqual(['brook', 'sea', 'sky']);
    expect(leaves.every(({ terms }) => terms.length === 4)).toBe(true);
  });

  test('vocabulary options reach the matrix', async () => {
    const { stdout } = await runCli([...fit, '--json', '--max-terms', '9', '--stop-words', 'whale, star', '--max-iterations', '10']);
    const { terms } = JSON.parse(stdout) as { terms: string[] };
    expect(terms).toHaveLength(9);
    expect(terms).not.toContain('whale');
    expect(terms).not.toContain('star');
  });
});

describe('the tree', () => {
  const terms = ['a', 'b', 'c', 'd'];
  const documents = ['one', 'two'];
  // Three topics under two; the scale of A⁰'s first column and of S⁰'s first row cancels and must not show.
  const scaled = (by: number) => ({
    A: [matrix(4, 3, [4 * by, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 1]), matrix(3, 2, [1 / by, 0, 1, 3, 0, 0])],
    S: [matrix(3, 2, [1 / by, 0, 0, 1, 1, 1]), matrix(2, 2, [1, 0, 0, 1])],
  });

  test('puts each topic under the one it gives most to, whatever the scale of the factors', () => {
    const tree = topicTree(scaled(1), terms, documents);
    expect(tree.map(({ index, layer }) => [layer, index])).toEqual([
      [1, 0],
      [1, 1],
      [0, 2],
    ]);
    const [first, second, orphan] = tree;
    expect(first.children.map(({ index }) => index)).toEqual([0]);
    expect(second.children.map(({ index }) => index)).toEqual([1]);
    expect(first.children[0].weight).toBeCloseTo(4 / 6);
    expect(first.share).toBeCloseTo(0.5);
    expect(first.terms).toEqual([
      { term: 'a', weight: expect.closeTo(4 / 6), overall: expect.closeTo(0.4) },
      { term: 'b', weight: expect.closeTo(2 / 6), overall: expect.closeTo(0.2) },
    ]);
    expect(orphan.children).toEqual([]);
    expect(topicTree(scaled(1024), terms, documents)).toEqual(tree);
  });

  test('bears topics that are zero, and a single layer', () => {
    const zero = { A: [matrix(4, 2, [1, 0, 1, 0, 0, 0, 0, 0])], S: [matrix(2, 2, [1, 1, 0, 0])] };
    const tree = topicTree(zero, terms, documents);
    expect(tree.map(({ share }) => share)).toEqual([1, 0]);
    expect(tree[1]).toMatchObject({ terms: [], documents: [], children: [] });
    expect(printTree(tree, { width: 80 })).toEqual(['100 %  a · b', '       a, b', '       e.g. one; two', '', ' 0 %  (empty)']);
  });

  test('is drawn within the width', () => {
    const lines = printTree(topicTree(scaled(1), terms, documents), { width: 80 });
    expect(lines).toEqual([
      '50 %  a · b',
      '│     a, b',
      '└─ 40 %  a  ↑ 67 %',
      '         e.g. one',
      '',
      '50 %  b',
      '└─ 20 %  b (2)  ↑ 100 %',
      '         b',
      '         e.g. two',
      '',
      'in none of these',
      '└─ 40 %  c · d',
      '         c, d',
      '         e.g. one; two',
    ]);
    const long = Array.from({ length: 12 }, (_, i) => ({ term: '漢字'.repeat(1 + (i % 9)), weight: 0.1, overall: 0.1 }));
    const leaf: Topic = { layer: 0, index: 0, label: '漢字', share: 1, weight: 1, terms: long, relevant: [], documents: [], children: [] };
    const drawn = printTree([{ ...leaf, layer: 1, children: [leaf, leaf] }], { width: 40 });
    expect(drawn.length).toBeGreaterThan(12);
    const width = (line: string) => [...line].reduce((sum, c) => sum + (/\p{sc=Han}/u.test(c) ? 2 : 1), 0);
    for (const line of drawn) expect(width(line)).toBeLessThanOrEqual(40);
  });
});
