/** Every format on the command line: read, written, and read again. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { transpose } from '../../src/data/matrix.js';
import { toDense } from '../../src/data/sparse.js';
import { parseNpy, textsOf } from '../../src/formats/npy.js';
import { decodeNpz } from '../../src/formats/npz.js';
import { decodePng } from '../../src/formats/png.js';
import { zipMembers } from '../../src/formats/zip.js';
import { factorForms } from '../../src/models/factor-files.js';
import { readMatrix } from '../../src/node/files.js';
import { loadModel } from '../../src/node/model-folder.js';
import { lowRankCsv, runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const files = (name: string) => fileURLToPath(new URL(`../formats/files/${name}`, import.meta.url));
const quick = ['--method', 'nmf', '--ranks', '2', '--max-iterations', '20', '--device', 'cpu'];

test.each(['dense.npz', 'scipy-csr.npz', 'pandas.parquet', 'table.feather', 'csr.h5ad', '10x', 'grey', 'colour'])(
  'fit %s',
  async (name) => {
    const { status, stderr, stdout } = await runCli(['fit', files(name), ...quick]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { X } = await readMatrix(files(name));
    expect(stdout).toContain(`${X.rows} features × ${X.cols} samples`);
  },
);

describe('the factors beside a model', () => {
  const data = put('m.csv', lowRankCsv(8, 5, 2));
  const labels = put('labels.txt', 'a\nb\na\n\na\nb\na\n\n');
  test.each(factorForms.filter((form) => form !== 'png'))('as %s', async (form) => {
    const out = at(form);
    await runCli([
      'fit',
      data,
      '--method',
      'hierarchical',
      '--ranks',
      '2,1',
      '--labels',
      labels,
      '--device',
      'cpu',
      '--out',
      out,
      '--format',
      form,
    ]);
    const names = readdirSync(out).filter((name) => name !== 'model.json' && name !== 'factors.safetensors');
    const model = await loadModel(out);
    const factors = { A0: model.A[0], A1: model.A[1], S0: model.S[0], S1: model.S[1], B: model.supervision!.classifiers[0].B };
    if (form === 'safetensors') return expect(names).toEqual([]);
    if (form === 'npz') {
      expect(names).toEqual(['factors.npz']);
      const members = zipMembers(new Uint8Array(readFileSync(`${out}/factors.npz`)), 'f');
      expect(members.map(({ name }) => name)).toEqual(['A0.npy', 'A1.npy', 'S0.npy', 'S1.npy', 'B.npy', 'features.npy', 'classes.npy']);
      expect(textsOf(parseNpy(await members[6].unpack()))).toEqual(['a', 'b']);
      await expect(decodeNpz(new Uint8Array(readFileSync(`${out}/factors.npz`)), 'f')).rejects.toThrow('It holds 5 arrays');
      return;
    }
    expect(names).toEqual(
      Object.keys(factors)
        .map((name) => `${name}.${form}`)
        .sort(),
    );
    for (const [name, factor] of Object.entries(factors))
      expect(toDense((await readMatrix(`${out}/${name}.${form}`, { samples: 'columns' })).X)).toEqual(factor);
  });

  test('as images, of a model of images alone', async () => {
    const out = at('parts');
    expect((await runCli(['fit', files('grey'), ...quick, '--out', out, '--format', 'png'])).status).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['A0.png', 'factors.safetensors', 'model.json']);
    expect((await loadModel(out)).image).toEqual({ width: 3, height: 2, channels: 1 });
    // Two images of 3×2 beside each other, with a line between them.
    expect(await decodePng(new Uint8Array(readFileSync(`${out}/A0.png`)), 'f')).toMatchObject({ width: 7, height: 2 });
    const refused = await runCli(['fit', data, ...quick, '--out', at('none'), '--format', 'png']);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toMatch(/format png is for models of images/);
  });
});

test('transform writes every format that can be written, bit for bit alike', async () => {
  const data = put('t.csv', lowRankCsv(8, 5, 2));
  await runCli(['fit', data, ...quick, '--out', at('model')]);
  const written = [];
  for (const extension of ['npy', 'csv', 'npz', 'parquet', 'json']) {
    const { status } = await runCli(['transform', at('model'), data, '--out', at(`S.${extension}`), '--device', 'cpu']);
    expect(status).toBe(0);
    written.push(toDense((await readMatrix(at(`S.${extension}`), { samples: 'rows' })).X));
  }
  for (const one of written) expect(one).toEqual(written[0]);
  expect(transpose(written[0])).toMatchObject({ rows: 8, cols: 2 });
});
