/** The fit on the screen as a program and as a command line. */
import type { MethodInfo } from 'orthant';
import type { Code } from '../../page/code.js';
import type { Facts } from '../../work/matrix.js';
import type { Reading } from '../../work/matrix-read.js';
import type { Asked } from './method-form.js';

/** The function of each method that has another name than the method. */
const functions: Record<string, string> = {
  hierarchical: 'hierarchicalNmf',
  deep: 'deepNmf',
  'deep-semi': 'deepSemiNmf',
  unfolded: 'unfoldedNmf',
  'sparse-coding': 'sparseCoding',
  neural: 'neuralNmf',
};

export interface Shown {
  facts: Facts | undefined;
  asked: Asked;
  method: MethodInfo;
  reading: Reading;
  /** Whether the last fit began from the factors that were there. */
  wentOn: boolean;
}

/** The name under which "Save the matrix" saves data that are in no file of their own. */
export const savedName = ({ name, kind }: Pick<Facts, 'name' | 'kind'>) =>
  kind === 'table' ? name : `${name.replace(/\.\w+$/, '').replaceAll(' ', '-')}.npy`;

/** Options of reading that the file takes. */
function readingOf({ facts, reading }: Shown): Record<string, unknown> {
  if (facts?.kind !== 'table') return { samples: 'columns' };
  const { side, patch, window, hop, ...table } = reading;
  return table;
}

export function codeOf(shown: Shown): Code {
  return { typescript: typescriptOf(shown), command: commandOf(shown) };
}

function typescriptOf(shown: Shown): string {
  const { facts, asked, wentOn } = shown;
  const name = functions[asked.method] ?? asked.method;
  const file = facts ? savedName(facts) : 'data.csv';
  const made = facts && facts.kind !== 'table' ? [`// Save the matrix as ${file} first: "Save the matrix (.npy)".`] : [];
  const { files } = asked;
  const options = [
    ...Object.entries(asked.options).map(([option, value]) => `  ${option}: ${literal(value)},`),
    ...(facts && facts.missing > 0 && !files.weights ? ['  weights, // 0 where a value is missing'] : []),
    ...(files.weights ? [`  weights: toDense((await readMatrix(${literal(files.weights.name)}, ${literal(readingOf(shown))})).X),`] : []),
    ...['labels', 'truth'].flatMap((option) =>
      files[option] ? [`  ${option}: (await readFile(${literal(files[option].name)}, 'utf8')).trimEnd().split('\\n'),`] : [],
    ),
    ...(wentOn ? ["  start: await loadModel('model'),"] : []),
  ];
  const weights = facts && facts.missing > 0 && !files.weights ? ', weights' : '';
  const imports = [
    'createEngine',
    name,
    'readMatrix',
    'saveModel',
    ...(wentOn ? ['loadModel'] : []),
    ...(files.weights ? ['toDense'] : []),
  ].sort();
  return [
    ...(files.labels || files.truth ? ["import { readFile } from 'node:fs/promises';"] : []),
    `import { ${imports.join(', ')} } from 'orthant/node';`,
    '',
    ...made,
    `const { X, features, samples${weights} } = await readMatrix(${literal(file)}, ${literal(readingOf(shown))});`,
    'const engine = await createEngine();',
    `const model = await ${name}(engine, X, {`,
    ...options,
    '});',
    'console.log(model.relativeError, model.svdBound);',
    "await saveModel('model', { ...model, features, samples });",
    'engine.dispose();',
    '',
  ].join('\n');
}

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, one]) => `${name}: ${literal(one)}`);
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  return String(value);
}

/** Options that the command line takes under another form, or not at all. */
const inCodeOnly = new Set(['checkEvery']);

function commandOf(shown: Shown): string {
  const { facts, asked, wentOn } = shown;
  const { ranks, svdBound, ...options } = asked.options;
  const words = ['orthant fit', quoted(facts ? savedName(facts) : 'data.csv'), `--method ${asked.method}`];
  if (ranks !== undefined) words.push(`--ranks ${text(ranks)}`);
  for (const [option, value] of Object.entries({ ...readingOf(shown), ...options })) {
    if (inCodeOnly.has(option)) continue;
    const flag = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (typeof value === 'boolean') words.push(value ? `--${flag}` : `--no-${flag}`);
    else words.push(`--${flag} ${quoted(text(value))}`);
  }
  if (svdBound === false) words.push('--no-svd-bound');
  for (const [option, { name }] of Object.entries(asked.files)) words.push(`--${option} ${quoted(name)}`);
  if (wentOn) words.push('--start model');
  words.push('--out model');
  return words.join(' ');
}

const text = (value: unknown) => (Array.isArray(value) ? value.join(',') : String(value));
const quoted = (word: string) => (/^[\w.,:/=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
