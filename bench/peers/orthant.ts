import type { Engine } from '../../src/engine.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { type Contender, type Problem, smallerFactor } from './contender.js';

/** Every engine that has `prepare` will do: the reference, too, and that of another commit with its own `nmfProgram`. */
export async function onOrthant(engine: Engine, problem: Problem, program: typeof nmfProgram = nmfProgram): Promise<Contender> {
  const { X, A, S } = problem;
  const t = program(X.rows, X.cols, A.cols, { restarts: 1, solver: 'mu', weighted: false });
  const run = await engine.prepare(t.program);
  const smaller = t[smallerFactor(problem)];
  const start = () => {
    run.write(t.A, A.data);
    run.write(t.S, S.data);
  };
  run.write(t.X, X.data);
  start();
  run.execute(t.sections.start);
  return {
    async reset() {
      start();
      await run.sample([smaller]);
    },
    async run(times) {
      run.execute(t.sections.step, times);
      await run.sample([smaller]);
    },
    async factors() {
      const [ofA, ofS] = await run.sample([t.A, t.S]);
      return { A: ofA, S: ofS };
    },
    dispose: () => run.dispose(),
  };
}
