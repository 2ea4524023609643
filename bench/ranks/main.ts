/** How often `chooseRank` finds the rank of matrices that were made with one: |A||S| with factors of normal numbers, and noise. */
import { parseArgs } from 'node:util';
import { tableOne } from '../../src/data/generate.js';
import { createEngine } from '../../src/node/engine.js';
import { chooseRank } from '../../src/ranks/choose.js';
import { planted } from './planted.js';

const usage = `node bench/ranks/run.mjs [--rank 5] [--noise 0.1] [--zeros 0] [--rows 200] [--cols 150] [--from 0] [--seeds 10] [--ranks 2..8]
  --table1        the data of Table 1 (rank 9) in place of planted ones
  --zeros Z       the part of the entries of both factors that are 0
  --noise S       standard deviation of the noise, as a part of the root mean square of AS; negative entries become 0
  --held-out      no perturbed fits, a third less time
  --adapter KIND  software (default), gpu, auto, or cpu for the f64 reference
`;

/** Returns the exit status: 0 where every matrix gave its rank, 1 where one did not, 2 for a wrong option. */
export async function main(args: string[]): Promise<number> {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const number = (name: 'rank' | 'noise' | 'zeros' | 'rows' | 'cols' | 'from' | 'seeds') => Number(values[name]);
  const [first, last] = values.ranks.split('..').map(Number);
  const ranks = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const engine = await createEngine({ prefer: values.adapter as 'software' });
  let found = 0;
  const truth = values.table1 ? 9 : number('rank');
  process.stdout.write(
    `${engine.description}; rank ${truth}, ${values.table1 ? 'Table 1' : `noise ${values.noise}, zeros ${values.zeros}`}\n`,
  );
  for (let seed = number('from'); seed < number('from') + number('seeds'); seed++) {
    const X = values.table1
      ? tableOne(seed).X
      : planted(number('rows'), number('cols'), truth, { noise: number('noise'), zeros: number('zeros'), seed });
    const before = process.cpuUsage();
    const survey = await chooseRank(engine, X, { ranks, seed, ...(values['held-out'] && { perturbation: 0 }) });
    const { user, system } = process.cpuUsage(before);
    if (survey.chosen === truth) found++;
    const errors = survey.results.map(({ rank, heldOut }) => `${rank}: ${heldOut!.error.toFixed(4)}`).join(' ');
    const stable = survey.results.map(({ stability }) => (stability ? stability.leastOfA.toFixed(2) : '–')).join(' ');
    const seconds = `${((user + system) / 1e6).toFixed(0)} s of CPU, ${(survey.elapsedMs / 1000).toFixed(0)} s`;
    process.stdout.write(`seed ${seed}: ${survey.chosen}; held-out ${errors}; least silhouettes ${stable}; ${seconds}\n`);
  }
  process.stdout.write(`${found} of ${values.seeds} matrices gave their rank\n`);
  engine.dispose();
  return found === number('seeds') ? 0 : 1;
}

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      rank: { type: 'string', default: '5' },
      noise: { type: 'string', default: '0.1' },
      zeros: { type: 'string', default: '0' },
      rows: { type: 'string', default: '200' },
      cols: { type: 'string', default: '150' },
      from: { type: 'string', default: '0' },
      seeds: { type: 'string', default: '10' },
      ranks: { type: 'string', default: '2..8' },
      adapter: { type: 'string', default: 'software' },
      table1: { type: 'boolean', default: false },
      'held-out': { type: 'boolean', default: false },
    },
  });
  return values;
}
