/**
 * Exact least squares on the simplex in f64 on the host, from the support that a device found in f32. Σ s is 1, so x − As = (x − m) −
 * (A − m1ᵀ)s for any m: with the mean m of the columns of A, the digits that columns share do not enter the Gram matrix. A row of √c below
 * A − m1ᵀ changes nothing but the multiplier, and makes the Gram matrix definite where columns are affinely independent.
 */
import type { Dense, Matrix } from '../data/matrix.js';
import { type DataMatrix, isSparse, sparseTranspose } from '../data/sparse.js';
import { settledBelow, sumOfInverse } from './condition.js';
import {
  factorize,
  gradientFromA,
  measureGradient,
  refinedBelow,
  type System,
  solveFactored,
  systemOf,
  takeColumn,
  toldByF32,
} from './normal-equations.js';
import type { Polished, PolishOptions } from './polish.js';

/** A gain w_j − μ of this part of the largest g_ii or |b_i| counts as zero: 16 units of f64 rounding. */
const tolerance = 16 * 2 ** -52;

/** Residuals from A itself bring back the digits that small pivots cost. */
const refinements = 3;

/** A problem of one column. */
interface Task {
  system: System;
  values: Float64Array;
  /** The largest squared norm of x and of the columns of A, which rounding to f32 is relative to. */
  given: number;
}

/** S ← argmin ½‖W ∘ (X − AS)‖² over columns s ≥ 0 with Σ s = 1, in f64; `S` (k×M) gives the supports to begin with. */
export function polishSimplex(X: DataMatrix, A: Matrix, S: ArrayLike<number>, options: Omit<PolishOptions, 'l1'> = {}): Polished {
  const { columns = Array.from({ length: X.cols }, (_, c) => c), single = false, weights } = options;
  const [k, M] = [A.cols, X.cols];
  const found: Polished = { S: Float64Array.from(S), kktResidual: 0, unconverged: 0, illConditioned: 0 };
  const taskOf = tasksOf(X, A, weights);
  const none = new Float64Array(k);
  for (const c of columns) {
    const { system, values, given } = taskOf(c);
    const { s, passive } = system;
    takeColumn(system, { values }, none);
    for (let j = 0; j < k; j++) passive[j] = S[j * M + c] > 0 ? 1 : 0;
    if (!pivot(system)) activeSet(system);
    if (!(hangsOn(system, given) < toldByF32)) found.illConditioned++;
    const sum = s.reduce((total, x) => total + Math.max(x, 0), 0);
    for (let j = 0; j < k; j++) s[j] = single ? Math.fround(Math.max(s[j], 0) / sum) : Math.max(s[j], 0) / sum;
    const residual = residualOf(system);
    found.kktResidual = Math.max(found.kktResidual, residual);
    if (!(residual <= settledBelow)) found.unconverged++;
    for (let j = 0; j < k; j++) found.S[j * M + c] = s[j];
  }
  return found;
}

/** Leaves the solution on the support in system.s, which sums to 1, and its gains w − μ in system.w. */
function solveOnSupport(system: System): void {
  const { b, s, w, passive, dropped } = system;
  factorize(system);
  const ofOnes = solveFactored(system, new Float64Array(s.length).fill(1));
  const weight = sumOf(ofOnes);
  const add = (step: Float64Array) => {
    const rest = (1 - sumOf(s) - sumOf(step)) / weight;
    for (let j = 0; j < s.length; j++) s[j] += step[j] + rest * ofOnes[j];
  };
  s.fill(0);
  add(solveFactored(system, b));
  for (let round = 0; system.A && round < refinements && system.smallestPivot < refinedBelow; round++) {
    gradientFromA(system, system.A);
    const multiplier = multiplierOf(system);
    add(
      solveFactored(
        system,
        w.map((gain) => gain - multiplier),
      ),
    );
  }
  for (let j = 0; j < s.length; j++) if (dropped[j]) passive[j] = 0;
  measureGains(system);
}

/** w ← b − Gs − μ */
function measureGains(system: System): void {
  measureGradient(system);
  const multiplier = multiplierOf(system);
  for (let j = 0; j < system.w.length; j++) system.w[j] -= multiplier;
}

const multiplierOf = ({ s, w }: System): number => s.reduce((sum, x, j) => sum + x * w[j], 0);
const sumOf = (x: Float64Array): number => x.reduce((total, one) => total + one, 0);

const sizeOf = ({ G, b, s: { length: k } }: System): number => b.reduce((most, x, j) => Math.max(most, Math.abs(x), G[j * (k + 1)]), 0);

/** False where the exchanges go round in circles. */
function pivot(system: System): boolean {
  const { s, w, passive, dropped } = system;
  const k = s.length;
  const bound = sizeOf(system) * tolerance;
  // What was dropped has nothing to gain but the rounding of its pivot.
  const breaks = (j: number) => !dropped[j] && !(passive[j] ? s[j] > 0 : w[j] <= bound);
  let fewest = k + 1;
  let tries = 3;
  for (let round = 0; round < 20 + k && passive.includes(1); round++) {
    solveOnSupport(system);
    const infeasible = Array.from(s, (_, j) => j).filter(breaks);
    if (infeasible.length === 0) return true;
    const all = infeasible.length < fewest || tries > 0;
    tries = infeasible.length < fewest ? 3 : Math.max(tries - 1, 0);
    fewest = Math.min(fewest, infeasible.length);
    for (const j of all ? infeasible : infeasible.slice(-1)) passive[j] = 1 - passive[j];
  }
  return false;
}

/** The same from the nearest column of A, one index at a time. A step that would leave the simplex stops at its border. */
function activeSet(system: System): void {
  const { G, b, s: solution, w, passive } = system;
  const k = solution.length;
  const s = new Float64Array(k);
  const useless = new Uint8Array(k); // came in with nothing to gain
  const distances = b.map((x, j) => G[j * (k + 1)] / 2 - x);
  const nearest = distances.indexOf(distances.reduce((least, d) => Math.min(least, d)));
  s[nearest] = 1;
  passive.fill(0);
  passive[nearest] = 1;
  solveOnSupport(system);
  for (let entries = 0; entries < 20 + 10 * k; entries++) {
    let entering = -1;
    let steepest = sizeOf(system) * tolerance;
    for (let j = 0; j < k; j++) {
      if (passive[j] || useless[j] || !(w[j] > steepest)) continue;
      steepest = w[j];
      entering = j;
    }
    if (entering < 0) return;
    passive[entering] = 1;
    // Each trial but the last takes an index out.
    for (let blocking = entering; blocking >= 0; ) {
      const before = Uint8Array.from(passive);
      solveOnSupport(system);
      blocking = -1;
      let step = 1;
      for (let j = 0; j < k; j++) {
        if (!before[j] || solution[j] > 0) continue;
        const reach = s[j] > 0 ? s[j] / (s[j] - solution[j]) : 0;
        if (blocking >= 0 && reach >= step) continue;
        step = reach;
        blocking = j;
      }
      for (let j = 0; j < k; j++) s[j] = before[j] && j !== blocking ? Math.max(s[j] + step * (solution[j] - s[j]), 0) : 0;
      if (blocking < 0) continue;
      passive.set(before);
      passive[blocking] = 0;
      if (blocking === entering && step <= 0) useless[entering] = 1;
    }
  }
}

/** How much rounding A and x to f32 can move s, squared and relative to 2⁻⁴⁸. */
function hangsOn({ smallestPivot, factor, inverse, support, s }: System, given: number): number {
  if (support.length === 1) return 0;
  if (smallestPivot === 0) return Number.POSITIVE_INFINITY;
  return sumOfInverse(factor, inverse, support.length, s.length, () => given);
}

/** The natural KKT residual of s on the simplex, as the kernel measures it. */
function residualOf(system: System): number {
  const { G, s, w } = system;
  measureGains(system);
  const c = s.reduce((most, _, j) => Math.max(most, G[j * (s.length + 1)]), 0);
  const worst = s.reduce((most, x, j) => Math.max(most, Math.abs(Math.min(c * x, -w[j]))), 0);
  return worst / (sizeOf(system) || 1);
}

/** One system for all columns, or with weights a system each, of the rows that the column has weights for. */
function tasksOf(X: DataMatrix, A: Matrix, weights?: Matrix): (c: number) => Task {
  const means = Float64Array.from(
    { length: A.rows },
    (_, n) => sumOf(Float64Array.from(A.data.subarray(n * A.cols, (n + 1) * A.cols))) / A.cols,
  );
  const columnOf = columnsOf(X);
  const rows = Array.from(means, (_, n) => n);
  const every = weights ? undefined : centred(A, means, rows);
  return (c) => {
    const x = columnOf(c);
    const seen = weights ? rows.filter((n) => weights.data[n * X.cols + c] > 0) : rows;
    const weightOf = (n: number) => (weights ? weights.data[n * X.cols + c] : 1);
    const { system, largest } = every ?? centred(A, means, seen, weightOf);
    const values = new Float64Array(seen.length + 1);
    let size = 0;
    seen.forEach((n, row) => {
      values[row] = weightOf(n) * (x[n] - means[n]);
      size += (weightOf(n) * x[n]) ** 2;
    });
    return { system, values, given: Math.max(size, largest) };
  };
}

/** The system of w ∘ (A − m1ᵀ) with a row of √c below it, c its largest squared norm, and the largest squared norm of w ∘ A. */
function centred(A: Matrix, means: Float64Array, rows: readonly number[], weightOf: (n: number) => number = () => 1) {
  const k = A.cols;
  const data = new Float64Array((rows.length + 1) * k);
  const [norms, given] = [new Float64Array(k), new Float64Array(k)];
  rows.forEach((n, row) => {
    for (let j = 0; j < k; j++) {
      const a = weightOf(n) * (A.data[n * k + j] - means[n]);
      data[row * k + j] = a;
      norms[j] += a * a;
      given[j] += (weightOf(n) * A.data[n * k + j]) ** 2;
    }
  });
  const c = norms.reduce((most, norm) => Math.max(most, norm), 0) || 1;
  data.fill(Math.sqrt(c), rows.length * k);
  const augmented: Dense = { rows: rows.length + 1, cols: k, data };
  return { system: systemOf(augmented), largest: given.reduce((most, norm) => Math.max(most, norm), 0) };
}

function columnsOf(X: DataMatrix): (c: number) => Float64Array {
  if (!isSparse(X)) return (c) => Float64Array.from({ length: X.rows }, (_, n) => X.data[n * X.cols + c]);
  const { rowStarts, columns, values } = sparseTranspose(X);
  return (c) => {
    const x = new Float64Array(X.rows);
    for (let e = rowStarts[c]; e < rowStarts[c + 1]; e++) x[columns[e]] = values[e];
    return x;
  };
}
