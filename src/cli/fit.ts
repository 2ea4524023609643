import { type Command, Option } from 'commander';
import { checkRanks } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { InputError } from '../errors.js';
import type { Factorization } from '../models/fit.js';
import { hierarchicalNmf } from '../models/hierarchical.js';
import { neuralNmf } from '../models/neural.js';
import { nmf } from '../models/nmf.js';
import { checkOutputFolder, readMatrix } from '../node/files.js';
import { addFitOptions, type CommonOptions } from './arguments.js';
import type { Io } from './io.js';
import { alignFacts, fitFacts, layerTable } from './report.js';
import { describeDevice, fitOnDevice, summarize, toJson, writeModel } from './run-fit.js';

interface FitCommandOptions extends CommonOptions {
  method: Factorization['method'];
  samples: 'rows' | 'columns';
}

const examples = `
Examples:
  orthant fit faces.npy --ranks 9,4,2 --restarts 8 --out model
  orthant fit spectra.csv --method nmf --ranks 5 --samples columns
`;

export function addFitCommand(program: Command, io: Io): void {
  const command = program
    .command('fit')
    .summary('factorize a matrix')
    .description('Factorizes a nonnegative matrix: X ≈ A⁰A¹…AˡSˡ at every depth l.')
    .argument('<matrix>', 'numeric .csv (a header is fine) or .npy; rows are samples')
    .addOption(new Option('--method <name>', 'which factorization').choices(['nmf', 'hierarchical', 'neural']).default('neural'))
    .addOption(new Option('--samples <side>', 'what a sample is in the file').choices(['rows', 'columns']).default('rows'));
  addFitOptions(command, { restarts: 1 })
    .addHelpText('after', examples)
    .action((path: string, options: FitCommandOptions) => fitMatrix(io, path, options));
}

async function fitMatrix(io: Io, path: string, options: FitCommandOptions): Promise<void> {
  const { method, ranks, samples, restarts, maxIterations, tolerance, out, json } = options;
  if (method === 'nmf' && ranks.length > 1) {
    throw new InputError(
      `--method nmf has one layer and takes one rank, but --ranks ${ranks.join(',')} has ${ranks.length}; give one, or choose hierarchical or neural.`,
    );
  }
  if (out !== undefined) await checkOutputFolder(out);
  const { X, names } = await readMatrix(path, { samples });
  checkFileEntries(path, X, samples, names);
  checkRanks(ranks, X.rows, X.cols);

  const { model, device } = await fitOnDevice(io, options, (engine, fitOptions) => {
    if (method === 'nmf') return nmf(engine, X, { ...fitOptions, rank: ranks[0] });
    return method === 'hierarchical'
      ? hierarchicalNmf(engine, X, { ...fitOptions, ranks })
      : neuralNmf(engine, X, { ...fitOptions, ranks });
  });
  const summary = summarize(
    model,
    device,
    { features: X.rows, samples: X.cols },
    { matrix: path, samples, restarts, maxIterations, tolerance },
  );
  const written = out === undefined ? undefined : await writeModel(out, model, summary);
  if (json) {
    io.stdout.write(toJson(summary));
    return;
  }
  const facts: [string, string][] = [
    ['data', `${path}: ${X.rows} features × ${X.cols} samples`],
    ['method', `${method}, ranks ${ranks.join(', ')}, seed ${model.seed}`],
    ['device', describeDevice(device, options.device)],
    ...fitFacts(model),
  ];
  if (written) facts.push(['written', `${out}: ${written.join(', ')}`]);
  const lines = alignFacts(facts);
  io.stdout.write(`${[...lines.slice(0, 3), '', ...layerTable(model), '', ...lines.slice(3)].join('\n')}\n`);
}

/** Names a bad entry by its place in the file, which X, with samples as columns, no longer shows. */
function checkFileEntries(path: string, X: Matrix, samples: 'rows' | 'columns', names?: string[]): void {
  const bad = X.data.findIndex((x) => !(x >= 0 && x < Infinity));
  if (bad < 0) return;
  const [i, j] = [Math.floor(bad / X.cols), bad % X.cols];
  const [row, column] = samples === 'rows' ? [j, i] : [i, j];
  const where = `row ${row + 1}, column ${column + 1}${names ? ` (${names[column]}), the header not counted,` : ''}`;
  const value = X.data[bad];
  throw new InputError(
    value < 0 && value > -Infinity
      ? `${path}: ${where} is ${value}, but every entry must be ≥ 0; shift or clip the data first.`
      : `${path}: ${where} is ${value}, but every entry must be a finite number; replace or remove it first.`,
  );
}
