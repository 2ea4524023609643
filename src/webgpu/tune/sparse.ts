/** Products with a sparse X: workgroups. */
import { random } from '../../data/random.js';
import type { SparseMatrix } from '../../data/sparse.js';
import type { Problem } from '../../engine.js';
import { programBuilder } from '../../graph/program.js';
import { T } from '../../graph/tensor.js';
import { chooseSparse } from '../plan/choose.js';
import type { SparseShape } from '../plan/shapes.js';
import { distinct } from './choices.js';
import { fits, sparseClass } from './classes.js';
import { places, rounding, type Trial, type TunedClass, uniform, workgroupsFor } from './trial.js';

/** X Sᵀ and AᵀX, where the problem says that X is sparse. */
export function sparseClasses(problem: Problem): TunedClass<'sparse'>[] {
  const { rows, cols, rank: k, restarts = 1, density } = problem;
  if (density === undefined) return [];
  const entries = rows * perRow({ cols, density });
  const shapes: SparseShape[] = [
    { lines: rows, entries, k, restarts, makes: 'rows' },
    { lines: cols, entries, k, restarts, makes: 'columns' },
  ];
  return shapes.map((shape) => ({
    kind: 'sparse',
    name: sparseClass(shape),
    choices(facts) {
      const items = (shape.makes === 'rows' ? shape.lines : Math.ceil(shape.lines / 4) * 4) * Math.ceil(k / 4) * restarts;
      const untuned = chooseSparse(shape, items, { ...facts, tuned: undefined });
      const fitting = workgroupsFor(facts).filter((workgroup) => fits(workgroup, facts));
      return distinct('sparse', [untuned, ...fitting.map((workgroup) => ({ workgroup }))]);
    },
    trial: (count) => trial({ rows, cols, k, restarts, density, makes: shape.makes }, count),
  }));
}

function perRow({ cols, density }: { cols: number; density: number }): number {
  return Math.max(1, Math.round(cols * density));
}

function trial(
  {
    rows,
    cols,
    k,
    restarts,
    density,
    makes,
  }: { rows: number; cols: number; k: number; restarts: number; density: number } & Pick<SparseShape, 'makes'>,
  count: number,
): Trial {
  const p = programBuilder('tuning', { restarts });
  const r = random(1);
  const sparse = randomSparse(r, rows, cols, perRow({ cols, density }));
  const X = p.input('X', rows, cols, { csrEntries: sparse.values.length });
  const ofRows = makes === 'rows';
  const D = ofRows ? p.input('S', k, cols, { batched: true }) : p.input('A', rows, k, { batched: true });
  const C = ofRows ? p.state('C', rows, k) : p.state('C', k, cols);
  for (let i = 0; i < count; i++) {
    p.section(String(i), () => (ofRows ? p.matmul(X, T(D), { into: C }) : p.matmul(T(D), X, { into: C })));
  }
  const dense = uniform(r, D.rows * D.cols);
  const checked = new Map(places(ofRows ? rows : cols).map((line) => [line, new Float64Array(k)]));
  const longest = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    for (let e = sparse.rowStarts[row]; e < sparse.rowStarts[row + 1]; e++) {
      const [line, place] = ofRows ? [row, sparse.columns[e]] : [sparse.columns[e], row];
      const sums = checked.get(line);
      if (!sums) continue;
      longest.set(line, (longest.get(line) ?? 0) + 1);
      for (let j = 0; j < k; j++) sums[j] += sparse.values[e] * dense[ofRows ? j * cols + place : place * k + j];
    }
  }
  return {
    program: p.build(),
    write(run) {
      run.write(X, sparse);
      run.write(D, dense);
    },
    async isRight(run, section) {
      run.write(C, new Float32Array(C.rows * C.cols).fill(-1));
      run.execute(section);
      const actual = await run.read(C);
      const found = (restart: number, line: number, j: number) =>
        actual[restart * C.rows * C.cols + (ofRows ? line * k + j : j * cols + line)];
      // Sums of positive terms: each addition rounds once.
      return places(restarts).every((restart) =>
        [...checked].every(([line, sums]) =>
          sums.every((sum, j) => Math.abs(found(restart, line, j) - sum) <= ((longest.get(line) ?? 0) + 2) * rounding * sum),
        ),
      );
    },
  };
}

/** As many entries in every row, in columns of even distances from a random one. */
function randomSparse(r: { uniform(): number }, rows: number, cols: number, perRow: number): SparseMatrix {
  const rowStarts = Uint32Array.from({ length: rows + 1 }, (_, i) => i * perRow);
  const columns = new Uint32Array(rows * perRow);
  for (let row = 0; row < rows; row++) {
    const from = Math.floor(r.uniform() * cols);
    const own = Array.from({ length: perRow }, (_, e) => (Math.floor((e * cols) / perRow) + from) % cols);
    columns.set(
      own.sort((a, b) => a - b),
      row * perRow,
    );
  }
  return { rows, cols, rowStarts, columns, values: uniform(r, rows * perRow) };
}
