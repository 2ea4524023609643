/** Errors of the library in the words of the command line. */
import { Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { inFlags } from '../../src/cli/wording.js';
import { matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { runCli, workFolder } from '../support/cli.js';

const options = ['--ranks <list>', '--max-iterations <n>', '--labels <file>', '--label-layers <list>', '--half', '--no-svd-bound'].map(
  (flags) => new Option(flags),
);

test.each([
  ['maxIterations must be a positive integer, not 0.', { option: 'maxIterations' }, '--max-iterations must be a positive integer, not 0.'],
  ["The option 'labelLayers' needs labels.", { option: 'labelLayers' }, '--label-layers needs labels.'],
  ['The ranks [2, 3] must not increase.', { option: 'ranks' }, '--ranks [2, 3] must not increase.'],
  ['Rank 6 is too much.', { option: 'ranks' }, '--ranks: Rank 6 is too much.'],
  ['There are 3 labels for 2 samples.', { option: 'labels' }, '--labels: There are 3 labels for 2 samples.'],
  ['Lower labelLayers, or the option maxIterations.', { option: 'labelLayers' }, 'Lower --label-layers, or --max-iterations.'],
  ['Leave out the option halfInputs.', { option: 'halfInputs' }, 'Leave out --half.'],
  ['svdBound must be true or false.', { option: 'svdBound' }, '--no-svd-bound must be true or false.'],
  ['checkEvery must be positive, maxIterations too.', { option: 'checkEvery' }, 'checkEvery must be positive, --max-iterations too.'],
  ['rankings are no option.', { option: 'ranks' }, '--ranks: rankings are no option.'],
  ['/home/maxIterations/x.csv has no data.', {}, '/home/maxIterations/x.csv has no data.'],
  ['A0.npy has 1 in row 9, column 10 (counted from 0).', { row: 9, column: 10 }, 'A0.npy has 1 in row 10, column 11.'],
  ['row 0.npy has 1 in row 0, column 0 (counted from 0).', { row: 0, column: 0 }, 'row 0.npy has 1 in row 1, column 1.'],
  ['X hides all of row 0 (counted from 0).', { row: 0 }, 'X hides all of row 1.'],
  ['f.csv: line 3, column 2 is empty.', { row: 1, column: 1 }, 'f.csv: line 3, column 2 is empty.'],
])('%s', (message, place, said) => {
  expect(inFlags(new InputError(message, place), options)).toBe(said);
});

describe('in a command', () => {
  const { at, put } = workFolder();
  const large = encodeNpy(matrix(2, 3, [1, 2, 3, 4, 5, 6])).slice();
  // The last entry as f64 beyond f32: the header says '<f8', and every entry gets four more bytes.
  const text = new TextDecoder('latin1').decode(large.subarray(0, 128)).replace('<f4', '<f8');
  const entries = new Uint8Array(new Float64Array([1, 2, 3, 4, 5, 1e300]).buffer);
  const beyond = Uint8Array.from([...Array.from(text, (c) => c.charCodeAt(0)), ...entries]);
  const X = put('x.csv', '1,2,3\n4,5,6\n7,8,10\n');

  test.each([
    ['ranks', ['fit', X, '--ranks', '4'], '--ranks: Rank 4 is more than a 3×3 matrix can use; choose at most 3.'],
    [
      'an entry of a .npy',
      ['fit', put('large.npy', beyond), '--ranks', '1'],
      /large\.npy: The .npy file has 1e\+300 in row 2, column 3, which/,
    ],
    [
      'a place by columns',
      ['fit', put('minus.csv', 'a,b\n1,2\n3,-4\n5,6\n'), '--ranks', '1', '--samples', 'columns'],
      /minus\.csv: row 2, column 2 \(b\), the header not counted, is -4, but every entry must be ≥ 0/,
    ],
    [
      'a place by rows',
      ['fit', put('wide.csv', '1,2,3,4\n5,6,7,-8\n'), '--ranks', '1'],
      /wide\.csv: row 2, column 4 is -8, but every entry must be ≥ 0/,
    ],
    [
      'weights that hide a sample in a column',
      ['fit', X, '--ranks', '1', '--method', 'nmf', '--samples', 'columns', '--weights', put('weights.csv', '1,0,1\n1,0,1\n1,0,1\n')],
      /weights\.csv is zero in all of column 2, which hides that sample; leave it out of both files instead\.$/,
    ],
  ] as const)('%s', async (_, argv, said) => {
    const { status, stdout, stderr } = await runCli([...argv, '--out', at('out')]);
    expect(stderr.replace(/^orthant: |\n$/g, '')).toMatch(said);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});
