import { checkNewSamples } from '../data/check.js';
import type { Classifier, Targets } from '../data/labels.js';
import { type Matrix, matrix, multiply, squaredNorm } from '../data/matrix.js';
import { random } from '../data/random.js';
import { type DataMatrix, denseRows, entriesOf, requireDense, type StoredRows, stored, storedRows } from '../data/sparse.js';
import { matrixTimesPowerOfTwo, powerOfTwoUnit } from '../data/unit.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { control } from '../graph/operations.js';
import type { Tensor } from '../graph/tensor.js';
import { curves, type Nonlinearity } from '../programs/curves.js';
import { type DeepSemiProgram, type Descent, deepSemiProgram, deepSemiTransformProgram } from '../programs/deep-semi.js';
import type { MethodDefinition, ProgramShape } from './definition.js';
import type { FitOptions, LabelSettings, Model } from './factorization.js';
import { type Fit, randomFactors, readFactors, withFit } from './fit.js';
import { givenFactors, lifted } from './given.js';
import { choice, type OptionsOf, positiveInteger } from './options.js';
import { problemOf, type Settings } from './problem.js';
import { nnls } from './q.js';
import { startOption } from './start.js';
import { checkSupervision, labelOptions, labelSettings, supervisedBy } from './supervision.js';
import { writeMatrix } from './write-matrix.js';

const options = {
  /**
   * The function g between the layers: 'identity' (default, linear), 'square', 'softplus', 'sigmoid' or 'tanh' (1.7159 tanh(2y/3)).
   * All but 'identity' need a dense X.
   */
  nonlinearity: choice(['identity', 'square', 'softplus', 'sigmoid', 'tanh'], 'function of the product between layers', {
    default: 'identity',
  }),
  /** Most iterations of each layer's pre-training. Default 500. It stops earlier at a tolerance of 1e-5. */
  pretrainIterations: positiveInteger('most iterations of each layer’s pre-training', {
    default: 500,
    needs: { option: 'start', values: ['hierarchical'] },
  }),
  /**
   * The start.
   *
   * - 'hierarchical' (default): every layer is pre-trained alone, see `deepSemiNmf`.
   * - { A, S }, or a fitted model: the Z and the H of every layer. H that is left out is that of `transformDeepSemi`; of the linear form no
   *   entry of it starts below a hundredth of the mean, and zeros that were given stay 0. The non-linear forms use the last H alone.
   */
  start: startOption(['hierarchical'], 'layers fitted one by one', ['A', 'S']),
  // Labels draw samples of a class together in H_m. λ of the label graph is 1 by default. It has no unit, since H starts in the units of X.
  ...labelOptions,
};

export interface DeepSemiOptions extends FitOptions, OptionsOf<typeof options> {}

export type DeepSemiFactorization = Model<'deep-semi', LabelSettings & { nonlinearity: Nonlinearity; pretrainIterations: number }>;

/**
 * Deep Semi-NMF: X ≈ Z₁Z₂…Z_mH_m with every Z free in sign and H_m ≥ 0. X may have negative entries.
 * In the result A holds the Z (N×k₁, k₁×k₂, …) and S the H (k_l×M).
 *
 * Linear ('identity'): Semi-NMF layer by layer, H_{l−1} ≈ Z_lH_l, then all layers together, Z_i ← Ψ⁺XH̃_i⁺ and the multiplicative rule of
 * every H_i. ‖X − Z₁…Z_mH_m‖² + λ tr(H_m(D − W)H_mᵀ) never increases.
 * The pseudo-inverses give every Z the last rank k_m. So the errors of the layers before the last are at best those of rank k_m, too.
 *
 * Otherwise X ≈ Z₁ g(Z₂ g(… g(Z_mH_m))). Pre-training fits g⁻¹(H_{l−1}) ≈ Z_lH_l. Then all Z and H_m descend together by projected
 * gradient with a controlled step, so the objective never increases.
 * The inner S[l−1] = g(Z_{l+1}S[l]) are functions of the last. Those of 'tanh' have negative entries where the fit wants them.
 * The error is the same at every depth, and its bound is that of rank k₁.
 *
 * Labels: W_ij = 1/n_c for two labelled samples of class c (n_c of them), and D has its degrees. So the term is λ times the scatter of H_m
 * within the classes. It falls when H_m shrinks and Z_m grows, too, which limits the use of a large λ.
 * The method learns no classifier. The class of a column s of H_m is argmax B s, row c of B the mean of the labelled columns of class c at
 * unit length: the nearest class mean by angle.
 *
 * Starts of H, unless `start` gives them: in the first restart of the linear form |ΣVᵀ| + 0.1 mean, from the leading right singular vectors; |N(0,1)| in all others.
 * The non-linear forms have poor optima, 'square' and 'tanh' above all: give them restarts.
 * maxIterations defaults to 500 for all layers together (1000 for the non-linear forms), tolerance to 1e-6.
 *
 * Trigeorgis, Bousmalis, Zafeiriou, Schuller, ICML 2014 and IEEE TPAMI 39(3), 2017; Ding, Li, Jordan, IEEE TPAMI 32(1), 2010.
 *
 * @throws InputError for NaN or infinite entries, ranks that do not fit, bad options or labels; BreakdownError, LimitError.
 */
export async function deepSemiNmf(engine: Engine, givenX: DataMatrix, options: DeepSemiOptions): Promise<DeepSemiFactorization> {
  const { nonlinearity = 'identity', pretrainIterations = 500 } = options;
  const maxIterations = nonlinearity === 'identity' ? 500 : 1000;
  const problem = problemOf(deepSemiMethod, givenX, options, { maxIterations, tolerance: 1e-6 });
  const { X, settings } = problem;
  requireLinear(X, nonlinearity);
  const supervision = checkSupervision(options, problem, { weight: 1 });

  const { ranks, restarts } = settings;
  const t = deepSemiProgram(X.rows, X.cols, ranks, {
    restarts,
    nonlinearity,
    csrEntries: entriesOf(X),
    labels: supervision && { weight: supervision.labelWeight, classes: supervision.targets.classes.length },
  });
  // What g takes and gives has no unit: Z₁ alone stands before it.
  const carrier = nonlinearity === 'identity' ? 'S' : 'A0';
  const given = givenFactors(options.start, problem, { A: t.Z, S: t.H, carrier, signed: true, needsA: true });
  const solved = given && !given.S ? await solvedH(engine, { A: given.A!, ranks, nonlinearity }, X) : undefined;
  // The rule of the linear form could not leave a zero.
  const H = given?.S ?? (nonlinearity === 'identity' ? solved?.map(lifted) : solved);
  return withFit(engine, t.program, { ...problem, carrier }, async (fit) => {
    const { run } = fit;
    writeMatrix(run, t.X, X);
    if (supervision) writeGraph(run, t, supervision.targets);
    if (given) {
      t.Z.forEach((tensor, l) => {
        run.write(tensor, given.A![l].data);
        run.write(t.H[l], H![l].data);
      });
    } else await pretrain(fit, t, X, nonlinearity, pretrainIterations);
    if (t.nonlinear) startDescent(run, t.nonlinear);
    await fit.stage({
      name: 'all layers',
      step: 'step',
      measure: t.nonlinear ? undefined : 'measure',
      cost: t.cost,
      costAt: t.nonlinear ? control.cost : 0,
      factors: (restart) => {
        if (t.nonlinear) run.execute('inner');
        return readFactors(run, t.Z, t.H, restart);
      },
    });
    const { kkt, errors } = await fit.measure(['errors', 'finish'], { kkt: t.kkt, errors: t.errors });
    return fit.result('deep-semi', {
      A: t.Z,
      S: t.H,
      errors,
      kkt: [kkt],
      // Z₁ times any k₁×M matrix has rank k₁, whatever the ranks behind g.
      boundRanks: nonlinearity === 'identity' ? ranks : ranks.map(() => ranks[0]),
      inner: nonlinearity === 'identity' ? undefined : ranks.map(() => t.H[0]),
      own: { nonlinearity, pretrainIterations, ...labelSettings(supervision) },
      supervise: supervision && ((_restart, { S }) => supervisedBy([classMeansOf(S, supervision.targets)], S, supervision)),
    });
  });
}

/** The non-linear forms make X − Z₁g(…), which is dense. */
function requireLinear(X: DataMatrix, nonlinearity: Nonlinearity): void {
  if (nonlinearity !== 'identity') requireDense(X, `The nonlinearity '${nonlinearity}'`, "choose 'identity'");
}

function writeGraph(run: Run, { graph, H }: DeepSemiProgram, { Y, L }: Targets): void {
  const M = Y.cols;
  const scaled = Float32Array.from(Y.data);
  for (let c = 0; c < Y.rows; c++) {
    const row = scaled.subarray(c * M, (c + 1) * M);
    const size = row.reduce((sum, y) => sum + y, 0);
    row.forEach((y, j) => {
      row[j] = y / Math.sqrt(size);
    });
  }
  const k = H[H.length - 1].rows;
  run.write(graph!.Y, scaled);
  run.write(
    graph!.D,
    Float32Array.from({ length: k * M }, (_, at) => L.data[at % M]),
  );
}

/** Semi-NMF of one layer after the other: X ≈ Z₁H₁, then H₁ (or g⁻¹(H₁), its rows scaled into g's range) ≈ Z₂H₂, … */
async function pretrain(fit: Fit, t: DeepSemiProgram, X: DataMatrix, nonlinearity: Nonlinearity, maxIterations: number): Promise<void> {
  const { run, settings } = fit;
  for (let l = 0; l < t.Z.length; l++) {
    const layer = t.pretrained[l];
    run.execute(layer.start);
    const { rows, cols } = layer.X;
    const size = rows * cols;
    // X is the same for all restarts; the H before is not, and the first one's stands for all in the start.
    const read = l === 0 ? undefined : await run.read(layer.X);
    const data = read ? denseRows(rows, cols, read.subarray(0, size)) : storedRows(X);
    const norm = Array.from(
      { length: settings.restarts },
      (_, r) => squaredNorm(read?.subarray(r * size, (r + 1) * size) ?? stored(X)) || 1,
    );
    run.write(t.Z[l], new Float32Array(t.Z[l].rows * t.Z[l].cols));
    run.write(t.H[l], startOfH(data, t.H[l], norm, settings, { layer: l, fromSvd: nonlinearity === 'identity' }));
    await fit.stage({
      name: `layer ${l + 1} of ${t.Z.length}`,
      step: layer.step,
      measure: layer.measure,
      cost: layer.cost,
      norm,
      objective: l === 0 ? 'error' : 'of S',
      maxIterations,
      tolerance: 1e-5,
      start: true,
      factors: (restart) => readFactors(run, t.Z.slice(0, l + 1), t.H.slice(0, l + 1), restart),
    });
    if (nonlinearity !== 'identity' && l + 1 < t.Z.length) await scaleRows(run, t.Z[l], t.H[l], curves[nonlinearity].largest);
  }
}

/** Multiplies rows of H so that the largest entry of each is `largest`, and divides the columns of Z. ZH does not change. */
async function scaleRows(run: Run, Z: Tensor, H: Tensor, largest: number): Promise<void> {
  const [z, h] = (await Promise.all([run.read(Z), run.read(H)])).map((entries) => Float64Array.from(entries));
  for (let row = 0; row < H.rows * H.batch; row++) {
    const own = h.subarray(row * H.cols, (row + 1) * H.cols);
    const scale = largest / (own.reduce((most, x) => Math.max(most, x), 0) || largest);
    own.forEach((x, j) => {
      own[j] = x * scale;
    });
    const [restart, j] = [Math.floor(row / H.rows), row % H.rows];
    for (let i = 0; i < Z.rows; i++) z[(restart * Z.rows + i) * Z.cols + j] /= scale;
  }
  run.write(Z, z);
  run.write(H, h);
}

function startDescent(run: Run, descent: Descent): void {
  const initial = new Float32Array(control.length);
  initial[control.eta] = 0.5;
  initial[control.cost] = 3e38;
  run.write(descent.control, initial);
  run.write(
    descent.first,
    Float32Array.from({ length: control.length }, (_, i) => (i === control.eta ? 1 : 0)),
  );
  run.execute('start');
}

/** k×M a restart: |N(0,1)| of the data's size, but with `fromSvd` |ΣVᵀ| of its leading singular vectors for the first. */
function startOfH(
  data: StoredRows,
  H: Tensor,
  norm: readonly number[],
  settings: Settings,
  { layer, fromSvd }: { layer: number; fromSvd: boolean },
): Float32Array {
  const { rows: k, cols: M } = H;
  const entries = randomFactors(k, M, settings, layer);
  for (let restart = 0; restart < settings.restarts; restart++) {
    const scale = Math.sqrt(norm[restart] / (k * M));
    const own = entries.subarray(restart * k * M, (restart + 1) * k * M);
    own.forEach((x, at) => {
      own[at] = x * scale;
    });
  }
  // Behind a g the SVD start was the worst of every batch.
  if (!fromSvd) return entries;
  const V = leadingRight(data, k);
  let mean = 0;
  for (const v of V) mean += Math.abs(v) / V.length;
  // A zero could not be left again.
  V.forEach((v, at) => {
    entries[at] = Math.abs(v) + 0.1 * mean;
  });
  return entries;
}

const powerIterations = 8;

/** ΣVᵀ of the k leading singular triplets of the data, nearly, by simultaneous iteration in f64 (k×M; rows beyond the rank are small). */
function leadingRight({ rows, cols: M, values, columns, start }: StoredRows, k: number): Float64Array {
  const { normal } = random(0);
  let V = Float64Array.from({ length: k * M }, normal);
  const scale = new Float64Array(k);
  for (let n = 0; n < powerIterations; n++) {
    orthonormalise(V, k, M, scale);
    const next = new Float64Array(k * M);
    for (let j = 0; j < k; j++) {
      for (let i = 0; i < rows; i++) {
        const [first, end] = [start(i), start(i + 1)];
        let dot = 0;
        for (let e = first; e < end; e++) dot += values[e] * V[j * M + (columns ? columns[e] : e - first)];
        for (let e = first; e < end; e++) next[j * M + (columns ? columns[e] : e - first)] += dot * values[e];
      }
    }
    V = next;
  }
  orthonormalise(V, k, M, scale);
  // After XᵀX the length of a row is its σ².
  return V.map((v, at) => v * Math.sqrt(scale[Math.floor(at / M)]));
}

/**
 * Gram–Schmidt on rows, twice over. `lengths` gets the norm that each row has left. Projections are subtracted one after the other, and a
 * row that depends on earlier rows keeps its rounding as a direction. The orthonormalisation of the SVD bound subtracts all projections at
 * once and makes such a row 0. Neither can replace the other without changing bits of results.
 */
function orthonormalise(V: Float64Array, k: number, M: number, lengths: Float64Array): void {
  for (let j = 0; j < k; j++) {
    const own = V.subarray(j * M, (j + 1) * M);
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        const other = V.subarray(i * M, (i + 1) * M);
        let dot = 0;
        for (let c = 0; c < M; c++) dot += own[c] * other[c];
        for (let c = 0; c < M; c++) own[c] -= dot * other[c];
      }
    }
    lengths[j] = Math.sqrt(squaredNorm(own));
    for (let c = 0; c < M; c++) own[c] /= lengths[j] || 1;
  }
}

/** On the last H, P×k: the mean of each class's labelled columns, at unit length (zero if the mean is). */
function classMeansOf(S: readonly Matrix[], { indices, classes }: Targets): Classifier {
  const layer = S.length - 1;
  const H = S[layer];
  const B = matrix(classes.length, H.rows);
  indices.forEach((index, c) => {
    if (index >= 0) for (let j = 0; j < H.rows; j++) B.data[index * H.rows + j] += H.data[j * H.cols + c];
  });
  for (let i = 0; i < B.rows; i++) {
    const row = B.data.subarray(i * B.cols, (i + 1) * B.cols);
    const length = Math.sqrt(squaredNorm(row)) || 1;
    row.forEach((b, j) => {
      row[j] = b / length;
    });
  }
  return { layer, B };
}

const transformIterations = 300;

/**
 * H of new samples with the Z of a model held: H_l (k_l×M′) of every layer.
 *
 * Linear: H_l = argmin_{H ≥ 0} ‖X − Z₁…Z_{l+1}H‖², exactly.
 * Otherwise H_m ≥ 0 descends on ‖X − Z₁ g(Z₂ g(… g(Z_mH_m)))‖² from the layer-wise solution (300 iterations). The others follow from it.
 *
 * @param newX N×M′, any sign, N as in the model's A[0].
 * @throws ShapeError when the rows differ; InputError for NaN or infinite entries.
 */
export async function transformDeepSemi(engine: Engine, model: DeepSemiFactorization, newX: DataMatrix): Promise<Matrix[]> {
  checkNewSamples(newX, model.A[0].rows, { signed: true });
  return solvedH(engine, { ...model, nonlinearity: model.settings.nonlinearity }, newX);
}

/** H of every layer with Z held. */
async function solvedH(
  engine: Engine,
  model: Pick<DeepSemiFactorization, 'A' | 'ranks'> & { nonlinearity: Nonlinearity },
  newX: DataMatrix,
): Promise<Matrix[]> {
  const { nonlinearity } = model;
  requireLinear(newX, nonlinearity);
  if (nonlinearity === 'identity') {
    const H: Matrix[] = [];
    for (let l = 0, Psi = model.A[0]; l < model.A.length; l++) {
      if (l > 0) Psi = multiply(Psi, model.A[l]);
      H.push((await nnls(engine, newX, Psi)).S);
    }
    return H;
  }
  const t = deepSemiTransformProgram(newX.rows, newX.cols, model.ranks, nonlinearity, entriesOf(newX));
  // H does not change where X and Z₁ are divided by one number.
  const unit = powerOfTwoUnit(stored(newX));
  return withRun(engine, t.program, async (run) => {
    writeMatrix(run, t.X, matrixTimesPowerOfTwo(newX, -unit));
    t.Z.forEach((tensor, l) => {
      run.write(tensor, matrixTimesPowerOfTwo(model.A[l], l === 0 ? -unit : 0).data);
    });
    run.execute('solve');
    startDescent(run, t.descent);
    run.execute('step', transformIterations);
    run.execute('inner');
    return (await readFactors(run, [], t.H, 0)).S;
  });
}

export const deepSemiMethod = {
  name: 'deep-semi',
  summary: 'layers of semi-NMF, A free in sign; takes negative data',
  layers: 'many',
  signed: { X: true, A: true },
  chained: true,
  options,
  applied: { nonlinearity: 'identity' },
  fit: deepSemiNmf,
  transform: transformDeepSemi,
  program: ({ rows, cols, ranks, restarts, csrEntries, classes }: ProgramShape, own: OptionsOf<typeof options>) => {
    const labels = classes ? { classes, weight: own.labelWeight ?? 1 } : undefined;
    return deepSemiProgram(rows, cols, ranks, { restarts, nonlinearity: own.nonlinearity ?? 'identity', labels, csrEntries }).program;
  },
} as const satisfies MethodDefinition;
