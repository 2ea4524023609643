/** Files of labels: lines that mean none, and samples without a signal. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseLabels, printLabels } from '../../src/formats/labels.js';
import { runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const data = put('x.csv', '2,2.1,0.1,0.2\n0.1,0.2,2.2,2\n'.repeat(4));
const fitWith = (labels: string, ...more: string[]) =>
  runCli(['fit', data, '--ranks', '2', '--labels', labels, '--device', 'cpu', '--max-iterations', '20', '--out', at('m'), ...more]);

test.each(['', 'NA', 'nan', 'NaN', '<NA>', 'N/A', '  '])('a line %j is no label', async (mark) => {
  const { status, stdout } = await fitWith(put('l.txt', `cat\ndog\n${mark}\n${mark}\n`.repeat(2)));
  expect(status).toBe(0);
  expect(stdout).toContain('of 4 of 8 samples, 2 classes: cat, dog');
});

test('−1 is refused with the flag that tells what it is, and taken as told', async () => {
  const labels = put('minus.txt', 'cat\ndog\n-1\n-1\n'.repeat(2));
  const refused = await fitWith(labels);
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain(
    "minus.txt: The file has '-1', which is scikit-learn's mark of a sample without a label, but may be a class.",
  );
  expect(refused.stderr).toContain("Say which by --unlabelled: a list with -1 makes it no label, a list without it, such as '', a class.");
  expect((await fitWith(labels, '--unlabelled', '-1')).stdout).toContain('of 4 of 8 samples, 2 classes: cat, dog');
  expect((await fitWith(labels, '--unlabelled', '')).stdout).toContain('of 8 of 8 samples, 3 classes: -1, cat, dog');
  expect(JSON.parse(readFileSync(at('m/model.json'), 'utf8')).options.unlabelled).toEqual([]);
  const truth = put('truth.txt', 'cat\ndog\ncat\n-1\n'.repeat(2));
  const some = put('some.txt', 'cat\ndog\n\n\n'.repeat(2));
  expect((await fitWith(some, '--truth', truth)).stderr).toContain("truth.txt: The file has '-1'");
  expect((await fitWith(some, '--truth', truth, '--unlabelled', '-1,NA')).status).toBe(0);
  const alone = await runCli(['fit', data, '--ranks', '2', '--unlabelled', '-1', '--device', 'cpu']);
  expect(alone.stderr).toContain('--unlabelled does nothing without --labels');
});

test('a sample without a signal has no class', async () => {
  await fitWith(put('two.txt', 'cat\ndog\n'.repeat(4)));
  const samples = put('new.csv', '2,2,0,0\n0,0,2,2\n0,0,0,0\n');
  const run = (...more: string[]) => runCli(['predict', at('m'), samples, '--device', 'cpu', ...more]);
  expect((await run()).stdout).toBe('cat\ndog\n\n');
  expect((await run('--out', at('out.txt'))).stdout).toContain(
    'labels of 3 samples, 1 × cat, 1 × dog, 1 × none, without a signal; by neural',
  );
  expect(JSON.parse((await run('--json')).stdout)).toMatchObject({ labels: ['cat', 'dog', null], scores: [{}, {}, [0, 0]] });
  expect((await fitWith(put('back.txt', `${readFileSync(at('out.txt'), 'utf8')}\n\n\n\n\n`))).stdout).toContain('of 2 of 8 samples');
});

describe('the text of a file', () => {
  test('quotes, as CSV has them, and back', () => {
    const labels = ['a, b', 'say "no"', '', 'plain', '"'];
    expect(printLabels(labels)).toBe('"a, b"\n"say ""no"""\n\nplain\n""""\n');
    expect(parseLabels(printLabels(labels), 5, 'f')).toEqual(labels);
    for (const bad of ['"a', 'a"', '"', '"a"b"', 'a,b', 'a\tb']) expect(() => parseLabels(bad, 1, 'f')).toThrow('f: line 1 has');
  });

  test('what is left out or may be a label is told', () => {
    const read = (text: string, names?: string[]) => {
      const notes: string[] = [];
      return { labels: parseLabels(text, 2, 'f', names, notes), notes };
    };
    expect(read('label\nu\nv\n')).toEqual({ labels: ['u', 'v'], notes: [] });
    expect(read('w\nu\nv\n')).toEqual({
      labels: ['u', 'v'],
      notes: ['f: its first line ("w") is read as a header, since there is one line more than samples.'],
    });
    expect(read('id,label\na,u\nb,v\n', ['b', 'a'])).toEqual({ labels: ['v', 'u'], notes: [] });
    // A typo in the first name, and a name of no sample.
    expect(read('A,u\nb,u\nc,v\n', ['a', 'b'])).toEqual({
      labels: ['', 'u'],
      notes: [
        'f: its first line ("A, u") is read as a header, since no sample has that name.',
        'f has labels of 1 name that no sample has, left out: "c".',
      ],
    });
  });

  test('a line of five million characters takes one pass', () => {
    const long = 5_000_000;
    expect(parseLabels(`"${'""'.repeat(long)}"\n`, 1, 'f')[0].length).toBe(long);
    expect(() => parseLabels(`"${'""'.repeat(long)}a"b`, 1, 'f')).toThrow(/^f: line 1 has .{60,130}…", but one column/);
  });
});

test('a pipe, a device and a folder are refused, not read for ever', async () => {
  execFileSync('mkfifo', [at('pipe.txt')]);
  for (const path of [at('pipe.txt'), '/dev/zero']) {
    const { status, stderr } = await fitWith(path);
    expect(status).toBe(2);
    expect(stderr).toMatch(/is a (FIFO|device), not a file; give a regular file\./);
  }
  execFileSync('mkdir', [at('texts')]);
  put('texts/a.txt', 'one word and another');
  execFileSync('mkfifo', [at('texts/b.txt')]);
  const { status, stderr } = await runCli(['topics', at('texts'), '--ranks', '1', '--device', 'cpu']);
  expect({ status, refused: stderr.includes('is a FIFO') }).toEqual({ status: 2, refused: true });
});
