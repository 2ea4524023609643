import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { encodeNpy } from '../../src/data/npy.js';
import { lowRankCsv, runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const good = put('good.csv', lowRankCsv(8, 5, 2));
mkdirSync(at('no-texts'));
mkdirSync(at('stop'));
put('stop/a.txt', 'the and of');
mkdirSync(at('apart'));
for (const [name, text] of Object.entries({ a: 'apple', b: 'pear', c: 'plum' })) put(`apart/${name}.txt`, text);

const fitFile = (name: string, content: string | Uint8Array) => ['fit', put(name, content), '--ranks', '1'];
const fitWith = (...options: string[]) => ['fit', good, ...options];

/** What is wrong → the command, and what the one line on standard error must say. */
const cases: Record<string, [argv: string[], says: RegExp]> = {
  'a negative entry': [fitFile('negative.csv', 'a,b\n1,2\n3,-4\n'), /negative\.csv: row 2, column 2 \(b\).* is -4.*≥ 0/],
  'NaN in a csv': [fitFile('nan.csv', '1,2\n3,NaN\n'), /nan\.csv: line 2, column 2 .*NaN/],
  'NaN in an npy': [fitFile('nan.npy', encodeNpy(matrix(1, 2, [1, Number.NaN]))), /nan\.npy: row 1, column 2 is NaN.*finite/],
  'a non-numeric cell': [fitFile('word.csv', 'a,b\n1,2\n3,x\n'), /word\.csv: line 3, column 2 \(b\).*"x"/],
  'ragged rows': [fitFile('ragged.csv', '1,2\n3\n'), /ragged\.csv: line 2 has 1 cell/],
  'an empty file': [fitFile('empty.csv', ''), /empty\.csv' is empty/],
  'a header and no more': [fitFile('header.csv', 'a,b\n'), /no data rows/],
  'nothing but zeros': [[...fitFile('zero.csv', '0,0\n0,0\n'), '--device', 'cpu'], /Every entry of X is zero/],
  'a missing file': [['fit', at('none.csv'), '--ranks', '1'], /There is no file '.*none\.csv'/],
  'a format that is not known': [fitFile('m.mat', '1'), /format of '.*m\.mat'/],
  'a rank of 0': [fitWith('--ranks', '2,0'), /'2,0' is invalid\. It must be positive integers/],
  'a rank that is no integer': [fitWith('--ranks', '2.5'), /'2\.5' is invalid/],
  'ranks that increase': [fitWith('--ranks', '2,3'), /must not increase/],
  'a rank beyond the data': [fitWith('--ranks', '6'), /Rank 6 is more than a 5×8 matrix can use; choose at most 5/],
  'two ranks for nmf': [fitWith('--method', 'nmf', '--ranks', '3,2'), /--method nmf has one layer/],
  'no ranks': [fitWith(), /'--ranks <list>' not specified/],
  'no matrix': [['fit', '--ranks', '2'], /missing required argument 'matrix'/],
  'a matrix too many': [fitWith(good, '--ranks', '2'), /too many arguments/],
  'an unknown option': [fitWith('--ranks', '2', '--speed'), /unknown option '--speed'/],
  'an unknown command': [['fti'], /unknown command 'fti'.*fit/],
  'an unknown method': [fitWith('--ranks', '2', '--method', 'pca'), /'pca' is invalid.*nmf, hierarchical, neural/],
  'an unknown device': [fitWith('--ranks', '2', '--device', 'tpu'), /'tpu' is invalid.*auto, gpu, software, cpu/],
  'a bad side of samples': [fitWith('--ranks', '2', '--samples', 'both'), /'both' is invalid/],
  'a negative seed': [fitWith('--ranks', '2', '--seed', '-1'), /'-1' is invalid.*from 0 to 4294967295/],
  'no restarts': [fitWith('--ranks', '2', '--restarts', '0'), /'0' is invalid\. It must be a positive integer/],
  'iterations in words': [fitWith('--ranks', '2', '--max-iterations', 'many'), /'many' is invalid/],
  'a tolerance of 1': [fitWith('--ranks', '2', '--tolerance', '1'), /'1' is invalid/],
  '--out is a file': [fitWith('--ranks', '2', '--out', good), /good\.csv': it is a file/],
  '--out in no folder': [fitWith('--ranks', '2', '--out', at('no/such')), /there is no folder '.*no'/],
  '--out under a file': [fitWith('--ranks', '2', '--out', `${good}/x`), /is a file/],
  'no such corpus': [['topics', at('nowhere'), '--ranks', '2'], /There is no corpus .*sotu, brown/],
  'a folder without texts': [['topics', at('no-texts'), '--ranks', '2'], /is empty.*one \.txt file per document/],
  'texts without words': [['topics', at('stop'), '--ranks', '1'], /No document has a word that counts/],
  'a vocabulary that ends up empty': [['topics', at('apart'), '--ranks', '1', '--min-documents', '2'], /None of the 3 words/],
  'a fraction of documents above 1': [['topics', at('apart'), '--ranks', '1', '--max-document-fraction', '2'], /'2' is invalid/],
};

describe('bad input: exit status 2, one line on standard error, nothing on standard output, nothing written', () => {
  test.each(Object.entries(cases))('%s', async (_, [argv, says]) => {
    const asked = argv.includes('--out') || argv.length < 2 ? argv : [...argv, '--out', at('out')];
    const before = readdirSync(at('.')).sort();
    const { status, stdout, stderr } = await runCli(asked);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^orthant: [^\n]+\n$/);
    expect(stderr).not.toMatch(/\n +at /);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(existsSync(at('out'))).toBe(false);
    expect(readdirSync(at('.')).sort()).toEqual(before);
  });

  test('no command: the help, on standard error', async () => {
    const { status, stdout, stderr } = await runCli([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/Usage: orthant/);
  });
});
