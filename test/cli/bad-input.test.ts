import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { encodeSafetensors } from '../../src/formats/safetensors.js';
import { lowRankCsv, runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const good = put('good.csv', lowRankCsv(8, 5, 2));
mkdirSync(at('no-texts'));
mkdirSync(at('stop'));
put('stop/a.txt', 'the and of');
mkdirSync(at('apart'));
for (const [name, text] of Object.entries({ a: 'apple', b: 'pear', c: 'plum' })) put(`apart/${name}.txt`, text);

const labels = put('labels.txt', 'a\nb\na\n\na\nb\na\n\n');
const truth = put('truth.txt', 'a\nb\na\nb\na\nb\na\nb\n');
await runCli(['fit', good, '--ranks', '2', '--device', 'cpu', '--labels', labels, '--out', at('model')]);
await runCli(['fit', good, '--ranks', '2', '--device', 'cpu', '--out', at('unlabelled')]);

/** A copy of the model with some of its files changed. */
function spoilt(name: string, changes: Record<string, string | Uint8Array | ((text: string) => string)>): string {
  cpSync(at('model'), at(name), { recursive: true });
  for (const [file, change] of Object.entries(changes)) {
    const to = at(`${name}/${file}`);
    writeFileSync(to, typeof change === 'function' ? change(readFileSync(to, 'utf8')) : change);
  }
  return at(name);
}
const anotherVersion = spoilt('version', { 'model.json': (text) => text.replace('"format": 3', '"format": 1') });
const anotherShape = spoilt('shape', {
  'factors.safetensors': encodeSafetensors({ A0: matrix(4, 2, new Array(8).fill(1)), B0: matrix(2, 2) }),
});
const withoutFactor = at('json-only');
mkdirSync(withoutFactor);
cpSync(at('model/model.json'), at('json-only/model.json'));

const mask = (...rows: number[][]) => rows.map((row) => row.join(',')).join('\n');
const ones = () => Array.from({ length: 8 }, () => new Array<number>(5).fill(1));
const hidden = (side: 'row' | 'column') => mask(...ones().map((row, i) => row.map((w, j) => ((side === 'row' ? i : j) === 3 ? 0 : w))));

const fitFile = (name: string, content: string | Uint8Array) => ['fit', put(name, content), '--ranks', '1'];
const fitWith = (...options: string[]) => ['fit', good, ...options];
const fitLabels = (name: string, content: string, ...options: string[]) =>
  fitWith('--ranks', '2', '--labels', put(name, content), ...options);
const fitMask = (name: string, content: string, method = 'nmf') =>
  fitWith('--ranks', '2', '--method', method, '--weights', put(name, content));
const fitMethod = (method: string, ranks: string, ...options: string[]) => fitWith('--method', method, '--ranks', ranks, ...options);
const toS = ['--out', at('S.npy'), '--device', 'cpu'];

/** What is wrong → the command, and what the one line on standard error must say. */
const cases: Record<string, [argv: string[], says: RegExp]> = {
  'a negative entry': [fitFile('negative.csv', 'a,b\n1,2\n3,-4\n'), /negative\.csv: row 2, column 2 \(b\).* is -4.*≥ 0/],
  'NaN in a csv': [
    [...fitFile('nan.csv', '1,2\n3,NaN\n'), '--method', 'deep'],
    /nan\.csv: row 2, column 2 has no value\. deep needs all of them; nmf, ssnmf, hierarchical and neural leave them out: give --method\./,
  ],
  'a row of NaN in a csv': [fitFile('nans.csv', '1,2\nNaN,NaN\n'), /nans\.csv: row 2 has no value at all/],
  'NaN in an npy': [fitFile('nan.npy', encodeNpy(matrix(1, 2, [1, Number.NaN]))), /nan\.npy: column 2 has no value at all/],
  'NaN in an npy, by a method that takes none': [
    [...fitFile('hole.npy', encodeNpy(matrix(2, 2, [1, Number.NaN, 1, 1]))), '--method', 'deep'],
    /hole\.npy: row 1, column 2 has no value\. deep needs all of them; nmf, ssnmf, hierarchical and neural leave them out/,
  ],
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
  'two ranks for nmf': [fitWith('--method', 'nmf', '--ranks', '3,2'), /--method nmf takes one rank, but --ranks 3,2 has 2/],
  'no ranks': [fitWith(), /'--ranks <list>' not specified/],
  'no matrix': [['fit', '--ranks', '2'], /missing required argument 'matrix'/],
  'a matrix too many': [fitWith(good, '--ranks', '2'), /too many arguments/],
  'an unknown option': [fitWith('--ranks', '2', '--speed'), /unknown option '--speed'/],
  'an unknown command': [['fti'], /unknown command 'fti'.*fit/],
  'an unknown method': [fitWith('--ranks', '2', '--method', 'pca'), /'pca' is invalid.*nmf, ssnmf, .*neural/],
  'an unknown device': [fitWith('--ranks', '2', '--device', 'tpu'), /'tpu' is invalid.*auto, gpu, software, cpu/],
  'a bad side of samples': [fitWith('--ranks', '2', '--samples', 'both'), /'both' is invalid/],
  'a negative seed': [fitWith('--ranks', '2', '--seed', '-1'), /'-1' is invalid.*from 0 to 4294967295/],
  'no restarts': [fitWith('--ranks', '2', '--restarts', '0'), /'0' is invalid\. It must be a positive integer/],
  'iterations in words': [fitWith('--ranks', '2', '--max-iterations', 'many'), /'many' is invalid/],
  'a tolerance of 1': [fitWith('--ranks', '2', '--tolerance', '1'), /'1' is invalid/],
  '--out is a file': [fitWith('--ranks', '2', '--out', good), /good\.csv': it is a file/],
  '--out in no folder': [fitWith('--ranks', '2', '--out', at('no/such')), /there is no folder '.*no'/],
  '--out under a file': [fitWith('--ranks', '2', '--out', `${good}/x`), /is a file/],
  'too few labels': [fitLabels('few.txt', 'a\nb\n'), /few\.txt has 2 lines for 8 samples/],
  'too many labels': [fitLabels('many.txt', 'a\nb\n'.repeat(5)), /many\.txt has 10 lines for 8 samples/],
  'one class only': [fitLabels('same.txt', 'a\n'.repeat(8)), /same\.txt: Every labelled sample is in class "a"/],
  'no labelled sample': [fitLabels('blank.txt', '\n'.repeat(8)), /blank\.txt: No sample has a label/],
  'labels in two columns': [fitLabels('two.csv', '1,a\n'.repeat(8)), /two\.csv: line 1 has "1,a", but one column of labels is needed/],
  'no file of labels': [fitWith('--ranks', '2', '--labels', at('none.txt')), /There is no file '.*none\.txt'/],
  'truth of another count': [
    fitWith('--ranks', '2', '--labels', labels, '--truth', put('short.txt', 'a\n')),
    /short\.txt has 1 line for 8/,
  ],
  'a negative λ': [fitWith('--ranks', '2', '--labels', labels, '--label-weight', '-1'), /'-1' is invalid\. It must be a finite number ≥ 0/],
  'truth without labels': [fitWith('--ranks', '2', '--truth', truth), /--truth does nothing without --labels/],
  'λ without labels': [fitWith('--ranks', '2', '--label-weight', '1'), /--label-weight does nothing without --labels/],
  'labels for a model without': [fitMethod('ssnmf', '2', '--labels', labels, '--model', '1'), /Model 1 takes no labels/],
  'a model that needs labels': [fitMethod('ssnmf', '2', '--model', '4'), /Model 4 needs labels/],
  'model 99': [fitMethod('ssnmf', '2', '--model', '99'), /'99' is invalid\. It must be one of 1, 2/],
  'a label layer that is not there': [
    fitWith('--ranks', '2', '--labels', labels, '--label-layers', '1'),
    /layer 1, but the layers are 0 to 0/,
  ],
  'a mask of another shape': [fitMask('shape.csv', '1,0\n0,1\n'), /shape\.csv is 2×2, but the matrix is 8×5/],
  'a mask that hides a row': [fitMask('row.csv', hidden('row')), /row\.csv is zero in all of row 4, which hides that sample/],
  'a mask that hides a column': [fitMask('column.csv', hidden('column'), 'ssnmf'), /zero in all of column 4, which hides that feature/],
  'a negative mask': [fitMask('minus.csv', mask([-1, 1, 1, 1, 1], ...ones().slice(1)), 'neural'), /minus\.csv: row 1, column 1 is -1/],
  'weights for ssnmf': [
    fitMask('half.csv', mask([0.5, 1, 1, 1, 1], ...ones().slice(1)), 'ssnmf'),
    /row 1, column 1 is 0\.5.*zeros and ones/,
  ],
  'an option of another method': [
    fitWith('--ranks', '2', '--solver', 'mu'),
    /neural has no option --solver; it belongs to nmf and hierarchical/,
  ],
  'labels for a method that takes none': [fitMethod('nmf', '2', '--labels', labels), /nmf has no option --labels; it belongs to ssnmf, /],
  'a mask for a method that takes none': [fitMethod('deep', '2,1', '--weights', good), /deep has no option --weights/],
  'two ranks for ssnmf': [fitMethod('ssnmf', '3,2'), /takes one rank/],
  'two ranks for unfolded': [fitMethod('unfolded', '3,2'), /takes one rank/],
  'pooling of one layer': [fitMethod('deep', '2', '--pooling', 'max'), /--pooling acts between layers/],
  'a pool size without pooling': [
    fitMethod('deep', '2,1', '--pool-size', '2'),
    /--pool-size does nothing without --pooling 'average' or 'max'/,
  ],
  'more untied layers than layers': [fitMethod('unfolded', '2', '--layers', '2', '--untied', '3'), /untied must be .* 0 to layers = 2/],
  'batches of all samples': [
    fitWith('--ranks', '2', '--batch-columns', '4'),
    /--batch-columns does nothing without --optimiser 'momentum' or 'adam'/,
  ],
  'an optimiser sparse coding lacks': [
    fitMethod('sparse-coding', '2', '--optimiser', 'projected'),
    /--optimiser must be 'momentum' or 'adam', not "projected"/,
  ],
  'a solver with nothing to solve': [
    fitMethod('hierarchical', '2', '--labels', labels, '--solver', 'mu'),
    /--solver does nothing where all/,
  ],
  'a λ that is no number': [fitMethod('sparse-coding', '2', '--l1', '1,x'), /'1,x' is invalid/],
  'a λ too many': [fitMethod('sparse-coding', '2', '--l1', '1,2'), /l1 has 2 values for 1 layers/],
  'a model that is not there': [['transform', at('none'), good, ...toS], /model.*none.*cannot be read|There is no file/],
  'a model of another version': [
    ['transform', anotherVersion, good, ...toS],
    /has format 1, but this version of orthant reads formats 2 and 3/,
  ],
  'a model of another shape': [['transform', anotherShape, good, ...toS], /A0 has 4 rows for 5 features/],
  'a model without its factors': [['transform', `${withoutFactor}/model.json`, good, ...toS], /factors\.safetensors/],
  'no model at all': [['predict', put('other.json', '{}'), good], /has no format number/],
  'data of other features': [
    ['transform', at('model'), put('narrow.csv', '1,2\n3,4\n'), ...toS],
    /narrow\.csv has 2 features \(its columns\), but the model was fitted to 5/,
  ],
  'data that lies the other way': [
    ['transform', at('model'), good, '--samples', 'columns', ...toS],
    /has 8 features .* try --samples rows/,
  ],
  'negative data for a model that takes none': [
    ['predict', at('model'), put('below.csv', '1,2,3,4,-5\n')],
    /below\.csv: row 1, column 5 is -5/,
  ],
  'S of a layer that is not there': [['transform', at('model'), good, '--layer', '1', ...toS], /--layer 1 is not there/],
  'S in a format that is not known': [['transform', at('model'), good, '--out', at('S.mat')], /format of '.*S\.mat'/],
  'S in no folder': [['transform', at('model'), good, '--out', at('no/S.npy')], /there is no folder '.*no'/],
  'S without a name': [['transform', at('model'), good], /'--out <file>' not specified/],
  'a prediction without labels': [['predict', at('unlabelled'), good], /fitted without labels/],
  'a classifier that is not there': [['predict', at('model'), good, '--layer', '2'], /--layer 2 has no classifier; the model has one on 0/],
  'a folder as the file of labels': [['predict', at('model'), good, '--out', at('stop')], /it is a directory/],
  'no such corpus': [['topics', at('nowhere'), '--ranks', '2'], /There is no corpus .*sotu, brown, mail/],
  'a folder without texts': [['topics', at('no-texts'), '--ranks', '2'], /is empty.*one \.txt or \.md file per document/],
  'a field of texts that is not there': [
    ['topics', put('fields.csv', 'id,abstract\n1,apple\n'), '--ranks', '1', '--text-field', 'abstrct'],
    /fields\.csv has no field "abstrct"\. Did you mean "abstract"\? It has "id" and "abstract": choose one by --text-field\./,
  ],
  'a field of labels that is not there': [
    ['topics', put('fields.jsonl', '{"text": "apple", "kind": "a"}'), '--ranks', '1', '--label-field', 'class'],
    /fields\.jsonl has no field "class"\. It has "text" and "kind": choose one by --label-field\./,
  ],
  'texts in another encoding': [
    ['topics', put('latin.jsonl', Uint8Array.from([...Buffer.from('{"text": "caf'), 0xe9, 0x22, 0x7d])), '--ranks', '1'],
    /latin\.jsonl is not UTF-8 text: line 1 has the byte 0xe9\. It could be .*windows-1252.* by --encoding/,
  ],
  'an encoding that is not known': [['topics', at('apart'), '--ranks', '1', '--encoding', 'utf-9'], /There is no encoding "utf-9"/],
  'fields of a folder': [['topics', at('apart'), '--ranks', '1', '--label-field', 'a'], /is a folder of texts.*leave out --label-field/],
  '-1 for no label': [
    [
      'topics',
      put('minus.jsonl', ['a', 'b', -1].map((label) => JSON.stringify({ text: 'apple', label })).join('\n')),
      '--ranks',
      '1',
      '--label-field',
      'label',
    ],
    /The field "label" has '-1'.* by --missing: .*such as '', a class/,
  ],
  'a language that is none': [['topics', at('apart'), '--ranks', '1', '--language', 'a_'], /--language "a_" is not a language tag/],
  'a language without stems': [['topics', at('apart'), '--ranks', '1', '--language', 'zh', '--stem'], /There are no stems for Chinese/],
  'a range of words that is none': [['topics', at('apart'), '--ranks', '1', '--ngrams', '3-2'], /'3-2' is invalid/],
  'a file of words that is not there': [
    ['topics', at('apart'), '--ranks', '1', '--stop-words', `@${at('none.txt')}`],
    /There is no file '.*none\.txt'/,
  ],
  'texts for a model without a vocabulary': [['transform', at('model'), at('apart')], /has no vocabulary.* orthant topics --out/],
  '--json beside --out -': [['transform', at('model'), good, '--json', '--out', '-'], /--json and --out - both write on standard output/],
  'a field of a matrix': [['transform', at('model'), good, '--id-field', 'x', ...toS], /--id-field is for texts/],
  'texts without words': [['topics', at('stop'), '--ranks', '1'], /No document has a word that counts/],
  'a vocabulary that ends up empty': [['topics', at('apart'), '--ranks', '1', '--min-documents', '2'], /None of the 3 words/],
  'a fraction of documents above 1': [['topics', at('apart'), '--ranks', '1', '--max-document-fraction', '2'], /'2' is invalid/],
};

describe('bad input: exit status 2, one line on standard error, nothing on standard output, nothing written', () => {
  test.each(Object.entries(cases))('%s', async (_, [argv, says]) => {
    const asked = argv.includes('--out') || !['fit', 'topics'].includes(argv[0]) ? argv : [...argv, '--out', at('out')];
    const before = readdirSync(at('.')).sort();
    const { status, stdout, stderr } = await runCli(asked);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^orthant: [^\n]+\n$/);
    expect(stderr).not.toMatch(/\n +at /);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(existsSync(at('out'))).toBe(false);
    expect(readdirSync(at('.')).sort()).toEqual(before);
  });

  test('what is there already stays as it was', async () => {
    const files = () => readdirSync(at('model')).map((name) => [name, readFileSync(at(`model/${name}`))]);
    const before = files();
    expect((await runCli([...fitLabels('still.txt', 'a\n'), '--out', at('model')])).status).toBe(2);
    expect(files()).toEqual(before);
    put('kept.npy', 'as it was');
    expect((await runCli(['transform', anotherVersion, good, '--out', at('kept.npy')])).status).toBe(2);
    expect(readFileSync(at('kept.npy'), 'utf8')).toBe('as it was');
  });

  test('no command: the help, on standard error', async () => {
    const { status, stdout, stderr } = await runCli([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/Usage: orthant/);
  });
});
