/**
 * A program is a method written once over the vocabulary of operations.ts: plain data that prints as text, runs on both executors,
 * and reads like the formula it implements. `programBuilder` checks every shape while the method is being written down.
 */
import { InputError, ShapeError } from '../errors.js';
import { control, inPlace, type MapFunction, mapFunctions, type Operation, type OperationKind, type Operations } from './operations.js';
import { commonBatch, type Operand, operandOf, shapeText, type Tensor } from './tensor.js';

export interface Program {
  readonly name: string;
  /** R, the number of independent problems that run side by side. */
  readonly restarts: number;
  readonly tensors: readonly Tensor[];
  /** Named lists of operations; a run executes a section any number of times. */
  readonly sections: Readonly<Record<string, readonly Operation[]>>;
}

export interface Into {
  /** Write into this tensor instead of a new transient. */
  into?: Tensor;
  /** The name of the new transient in the printed program. */
  name?: string;
}

export type ProgramBuilder = ReturnType<typeof programBuilder>;

export function programBuilder(name: string, { restarts = 1 }: { restarts?: number } = {}) {
  const tensors: Tensor[] = [];
  const sections: Record<string, Operation[]> = {};
  let current: Operation[] | undefined;

  function tensor(
    role: Tensor['role'],
    label: string,
    rows: number,
    cols: number,
    batch: number,
    csrEntries?: number,
    data?: true,
  ): Tensor {
    for (const size of [rows, cols]) {
      if (!Number.isInteger(size) || size < 1)
        throw new ShapeError(`Tensor ${label} of program ${name} is ${rows}×${cols}; both sizes must be positive integers.`);
    }
    const form = csrEntries === undefined ? 'dense' : 'csr';
    const made: Tensor = {
      id: tensors.length,
      name: label,
      role,
      form,
      rows,
      cols,
      batch,
      entries: csrEntries ?? rows * cols,
      ...(data && { data }),
    };
    tensors.push(made);
    return made;
  }

  function emit<K extends OperationKind>(kind: K, inputs: Tensor[], outputs: Tensor[], attributes: Operations[K]): void {
    if (current === undefined) throw new InputError(`Program ${name}: ${kind} stands outside a section; wrap it in section(name, …).`);
    for (const out of outputs) {
      if (out.role === 'input')
        throw new ShapeError(`Program ${name}: ${kind} writes the input ${out.name}; only states and transients may be written.`);
      if (inputs.includes(out)) throw new ShapeError(`Program ${name}: ${kind} reads and writes ${out.name}; give it another output.`);
    }
    const factors = kind === 'matmul' ? inputs.slice(2) : kind === 'residualNorm' ? inputs.slice(1) : inputs;
    requireDense(kind, factors);
    current.push({ kind, inputs, outputs, attributes } as unknown as Operation);
  }

  function requireDense(kind: string, inputs: readonly Tensor[]): void {
    const sparse = inputs.find((input) => input.form === 'csr');
    if (sparse !== undefined)
      throw new ShapeError(
        `Program ${name}: ${kind} has no rule for the CSR tensor ${sparse.name}; only matmul takes one as a factor and residualNorm as X.`,
      );
  }

  /** The output: a new transient, or `into` once its shape is known to fit. */
  function output(kind: string, rows: number, cols: number, batch: number, { into, name: label }: Into): Tensor {
    if (into === undefined) return tensor('transient', label ?? `t${tensors.length}`, rows, cols, batch);
    requireShape(kind, into, rows, cols);
    if (into.batch !== batch)
      throw new ShapeError(`${kind} makes ${shapeText({ rows, cols, batch })}, but ${into.name} is ${shapeText(into)}.`);
    return into;
  }

  function requireShape(kind: string, given: Tensor, rows: number, cols: number): void {
    if (given.rows !== rows || given.cols !== cols) {
      throw new ShapeError(`${kind} in program ${name}: ${given.name} is ${given.rows}×${given.cols}, but ${rows}×${cols} is needed.`);
    }
  }

  /** G is k×k for all columns of a k×M tensor, or k²×M with one for each; says which. */
  function requireGram(kind: string, G: Tensor, { rows, cols }: Pick<Tensor, 'rows' | 'cols'>): boolean {
    if (G.rows === rows && G.cols === rows) return false;
    requireShape(kind, G, rows * rows, cols);
    return true;
  }

  return {
    name,
    restarts,
    /** Data the host provides. `batched` gives every restart its own; `csrEntries` makes it a CSR matrix with that many stored entries, for all. */
    input(label: string, rows: number, cols: number, options: { batched?: boolean; csrEntries?: number } = {}): Tensor {
      const { batched = false, csrEntries } = options;
      if (batched && csrEntries !== undefined)
        throw new ShapeError(`Program ${name}: the CSR tensor ${label} cannot differ between restarts; leave out batched.`);
      return tensor('input', label, rows, cols, batched ? restarts : 1, csrEntries);
    },

    /** The matrix that a fit is of, for all restarts: what an engine may store in fewer bits (EngineOptions.halfInputs). */
    data(label: string, rows: number, cols: number, options: { csrEntries?: number } = {}): Tensor {
      return tensor('input', label, rows, cols, 1, options.csrEntries, true);
    },

    /** A tensor that lives across iterations, one per restart unless `shared`. */
    state: (label: string, rows: number, cols: number, options: { shared?: boolean } = {}) =>
      tensor('state', label, rows, cols, options.shared ? 1 : restarts),

    /** The control vector of projected steps (see `control`). */
    controlState: (label = 'control') => tensor('state', label, 1, control.length, restarts),

    /** Collects the operations that `write` calls for under a name. */
    section(label: string, write: () => void): void {
      if (sections[label] !== undefined) throw new InputError(`Program ${name} has two sections called ${label}.`);
      current = [];
      write();
      sections[label] = current;
      current = undefined;
    },

    matmul(A: Operand, B: Operand, options: Into & { scale?: number; add?: Tensor; addScale?: number; hadamard?: Tensor } = {}): Tensor {
      const a = operandOf(A);
      const b = operandOf(B);
      if (a.cols !== b.rows) {
        throw new ShapeError(
          `matmul in program ${name}: ${a.tensor.name} gives ${a.rows}×${a.cols} and ${b.tensor.name} ${b.rows}×${b.cols}; the inner sizes differ.`,
        );
      }
      if (b.tensor.form === 'csr' && a.tensor.form === 'csr')
        throw new ShapeError(`matmul of two CSR tensors (${a.tensor.name}, ${b.tensor.name}) has no rule.`);
      const extra = options.add ?? options.hadamard;
      if (extra !== undefined) requireShape('matmul', extra, a.rows, b.cols);
      const inputs = [a.tensor, b.tensor, ...(extra ? [extra] : [])];
      const out = output('matmul', a.rows, b.cols, commonBatch('matmul', inputs), options);
      emit('matmul', inputs, [out], {
        transposeA: a.transposed,
        transposeB: b.transposed,
        scale: options.scale ?? 1,
        epilogue: options.add ? 'add' : options.hadamard ? 'hadamard' : 'none',
        addScale: options.addScale ?? 1,
      });
      return out;
    },

    gram(A: Tensor, of: 'columns' | 'rows' = 'columns', options: Into = {}): Tensor {
      const k = of === 'columns' ? A.cols : A.rows;
      const out = output('gram', k, k, A.batch, options);
      emit('gram', [A], [out], { of });
      return out;
    },

    /**
     * S ← q: the exact nonnegative least squares of every column, started from the support of what S holds when `warm`, else
     * from {B > 0}. Returns how many factorizations the pivoting of each column took, negative where neither it nor the active set
     * came to an end.
     */
    nnls(G: Tensor, B: Tensor, S: Tensor, options: { warm?: boolean; rounds?: Tensor } = {}): Tensor {
      const perColumn = requireGram('nnls', G, B);
      requireShape('nnls', S, B.rows, B.cols);
      const batch = commonBatch('nnls', [G, B]);
      if (S.batch !== batch) throw new ShapeError(`nnls in program ${name}: ${S.name} is ${shapeText(S)}, but its batch must be ${batch}.`);
      const rounds = output('nnls', 1, B.cols, batch, { into: options.rounds, name: `rounds${S.name}` });
      const warm = options.warm ?? true;
      emit('nnls', [G, B], [S, rounds], { warm, perColumn });
      return rounds;
    },

    kktResidual(G: Tensor, B: Tensor, S: Tensor, options: Into = {}): Tensor {
      const perColumn = requireGram('kktResidual', G, B);
      requireShape('kktResidual', S, B.rows, B.cols);
      const out = output('kktResidual', 1, B.cols, commonBatch('kktResidual', [G, B, S]), options);
      emit('kktResidual', [G, B, S], [out], { perColumn });
      return out;
    },

    maskedSolve(G: Tensor, S: Tensor, g: Tensor, options: Into = {}): Tensor {
      const perColumn = requireGram('maskedSolve', G, S);
      requireShape('maskedSolve', g, S.rows, S.cols);
      const out = output('maskedSolve', S.rows, S.cols, commonBatch('maskedSolve', [G, S, g]), options);
      emit('maskedSolve', [G, S, g], [out], { perColumn });
      return out;
    },

    /** F ← F ∘ (numerator / (denominator + ε))^power. */
    multiplicativeUpdate(F: Tensor, numerator: Tensor, denominator: Tensor, { power = 1 }: { power?: number } = {}): void {
      requireShape('multiplicativeUpdate', numerator, F.rows, F.cols);
      requireShape('multiplicativeUpdate', denominator, F.rows, F.cols);
      emit('multiplicativeUpdate', [numerator, denominator], [F], { power });
    },

    /** One sweep of HALS, in turn over the entries of every row of F (N×k) or of every column (k×M), for G and B of its normal equations. */
    halsUpdate(F: Tensor, G: Tensor, B: Tensor, { of, layer = 0 }: { of: 'rows' | 'columns'; layer?: number }): void {
      requireShape('halsUpdate', B, F.rows, F.cols);
      const perColumn = requireGram('halsUpdate', G, of === 'rows' ? { rows: F.cols, cols: F.rows } : F);
      const batch = commonBatch('halsUpdate', [G, B, F]);
      if (F.batch !== batch)
        throw new ShapeError(`halsUpdate in program ${name}: ${F.name} is ${shapeText(F)}, but its batch must be ${batch}.`);
      emit('halsUpdate', [G, B], [F], { of, perColumn, layer });
    },

    /** max(A − η D / (2 m_ii q_jj), 0): one projected step in the metric diag(M) ⊗ diag(Q); M = I when left out. */
    projectedStep(A: Tensor, D: Tensor, Q: Tensor, controlVector: Tensor, options: Into & { M?: Tensor; layer: number }): Tensor {
      requireShape('projectedStep', D, A.rows, A.cols);
      requireShape('projectedStep', Q, A.cols, A.cols);
      if (options.M) requireShape('projectedStep', options.M, A.rows, A.rows);
      const inputs = [A, D, Q, controlVector, ...(options.M ? [options.M] : [])];
      const out = output('projectedStep', A.rows, A.cols, commonBatch('projectedStep', inputs), options);
      emit('projectedStep', inputs, [out], { rowMetric: options.M !== undefined, layer: options.layer });
      return out;
    },

    /** D / (2 m_ii q_jj): the direction of projectedStep alone, for optimisers that have a step rule of their own. */
    metricScale(D: Tensor, Q: Tensor, options: Into & { M?: Tensor } = {}): Tensor {
      requireShape('metricScale', Q, D.cols, D.cols);
      if (options.M) requireShape('metricScale', options.M, D.rows, D.rows);
      const inputs = [D, Q, ...(options.M ? [options.M] : [])];
      const out = output('metricScale', D.rows, D.cols, commonBatch('metricScale', inputs), options);
      emit('metricScale', inputs, [out], { rowMetric: options.M !== undefined });
      return out;
    },

    /** N×k → N×k²: the products of every pair of entries in a row. */
    rowProducts(A: Tensor, options: Into = {}): Tensor {
      const out = output('rowProducts', A.rows, A.cols * A.cols, A.batch, options);
      emit('rowProducts', [A], [out], {});
      return out;
    },

    acceptReject(cost: Tensor, controlVector: Tensor, options: { grow?: number; shrink?: number } = {}): void {
      requireShape('acceptReject', cost, 1, 1);
      emit('acceptReject', [cost], [controlVector], { grow: options.grow ?? 1.2, shrink: options.shrink ?? 0.5 });
    },

    keepAccepted(state: Tensor, trial: Tensor, controlVector: Tensor): void {
      requireShape('keepAccepted', trial, state.rows, state.cols);
      emit('keepAccepted', [trial, controlVector], [state], {});
    },

    /** ‖W ∘ (X − AZ)‖². A CSR X takes no W, but the Gram matrices AᵀA and ZZᵀ, so that AZ is formed nowhere; `G` is the first where it is at hand. */
    residualNorm(X: Tensor, A: Tensor, Z: Tensor, options: Into & { W?: Tensor; G?: Tensor } = {}): Tensor {
      requireShape('residualNorm', A, X.rows, Z.rows);
      requireShape('residualNorm', Z, A.cols, X.cols);
      if (options.W) requireShape('residualNorm', options.W, X.rows, X.cols);
      if (X.form === 'csr') {
        if (options.W) throw new ShapeError(`residualNorm in program ${name}: the CSR tensor ${X.name} takes no weights; make it dense.`);
        const grams = [options.G ?? this.gram(A), this.gram(Z, 'rows')];
        const signed = output('residualNorm', 1, 1, commonBatch('residualNorm', [A, Z]), {});
        emit('residualNorm', [X, A, Z, ...grams], [signed], { weighted: false });
        // A difference of large numbers: rounding can leave it below 0.
        return this.map('positive', [signed], { into: options.into, name: options.name });
      }
      const inputs = [X, A, Z, ...(options.W ? [options.W] : [])];
      const out = output('residualNorm', 1, 1, commonBatch('residualNorm', inputs), options);
      emit('residualNorm', inputs, [out], { weighted: options.W !== undefined });
      return out;
    },

    reduce(X: Tensor, of: 'sum' | 'squares' | 'maxAbs', options: Into = {}): Tensor {
      const out = output('reduce', 1, 1, X.batch, options);
      emit('reduce', [X], [out], { of });
      return out;
    },

    combine(scale: number, X: Tensor, otherScale: number, Y: Tensor, options: Into = {}): Tensor {
      requireShape('combine', Y, X.rows, X.cols);
      const out = output('combine', X.rows, X.cols, commonBatch('combine', [X, Y]), options);
      emit('combine', [X, Y], [out], { scale, otherScale });
      return out;
    },

    hadamard(X: Tensor, Y: Tensor, options: Into = {}): Tensor {
      requireShape('hadamard', Y, X.rows, X.cols);
      const out = output('hadamard', X.rows, X.cols, commonBatch('hadamard', [X, Y]), options);
      emit('hadamard', [X, Y], [out], {});
      return out;
    },

    /** f(X, Y?, W?) entrywise: see mapFunctions for the formulas and what p and q mean in each. */
    map(fn: MapFunction, tensors: readonly Tensor[], options: Into & { p?: number; q?: number } = {}): Tensor {
      const [X] = tensors;
      const { arity } = mapFunctions[fn];
      if (tensors.length !== arity)
        throw new ShapeError(`map ${fn} in program ${name} takes ${arity} tensors, but ${tensors.length} were given.`);
      for (const other of tensors) requireShape(`map ${fn}`, other, X.rows, X.cols);
      const out = output(`map ${fn}`, X.rows, X.cols, commonBatch(`map ${fn}`, tensors), options);
      emit('map', [...tensors], [out], { fn, p: options.p ?? 0, q: options.q ?? 0 });
      return out;
    },

    /** X + scale · y, y a 1×1 tensor. */
    shift(X: Tensor, y: Tensor, scale: number, options: Into = {}): Tensor {
      requireShape('shift', y, 1, 1);
      const out = output('shift', X.rows, X.cols, commonBatch('shift', [X, y]), options);
      emit('shift', [X, y], [out], { scale });
      return out;
    },

    /** Loss of every labelled column (1×M) and its gradient in the logits (P×M); columns whose Y is zero have neither. */
    softmaxCrossEntropy(logits: Tensor, Y: Tensor): { loss: Tensor; gradient: Tensor } {
      requireShape('softmaxCrossEntropy', Y, logits.rows, logits.cols);
      const batch = commonBatch('softmaxCrossEntropy', [logits, Y]);
      const loss = output('softmaxCrossEntropy', 1, logits.cols, batch, {});
      const gradient = output('softmaxCrossEntropy', logits.rows, logits.cols, batch, {});
      emit('softmaxCrossEntropy', [logits, Y], [loss, gradient], {});
      return { loss, gradient };
    },

    /** The largest entry of every `size` neighbouring rows, and a 0/1 selector that marks it (the first of equals). */
    maxPool(S: Tensor, size: number): { pooled: Tensor; selector: Tensor } {
      const pooled = output('maxPool', Math.ceil(S.rows / size), S.cols, S.batch, {});
      const selector = output('maxPool', S.rows, S.cols, S.batch, {});
      emit('maxPool', [S], [pooled, selector], { size });
      return { pooled, selector };
    },

    /** A mini-batch: `count` columns of X in the order that `order` lists, moving on with every iteration. */
    takeColumns(X: Tensor, order: Tensor, controlVector: Tensor, count: number, options: Into = {}): Tensor {
      requireShape('takeColumns', order, 1, X.cols);
      const out = output('takeColumns', X.rows, count, commonBatch('takeColumns', [X, order, controlVector]), options);
      emit('takeColumns', [X, order, controlVector], [out], {});
      return out;
    },

    momentumStep(A: Tensor, V: Tensor, D: Tensor, options: { rate: number; momentum: number; free?: boolean }): void {
      for (const other of [V, D]) requireShape('momentumStep', other, A.rows, A.cols);
      emit('momentumStep', [D], [A, V], { rate: options.rate, momentum: options.momentum, free: options.free ?? false });
    },

    adamStep(
      A: Tensor,
      moments: readonly [first: Tensor, second: Tensor],
      D: Tensor,
      controlVector: Tensor,
      options: { rate: number; beta1?: number; beta2?: number; epsilon?: number; free?: boolean },
    ): void {
      for (const other of [...moments, D]) requireShape('adamStep', other, A.rows, A.cols);
      const { rate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, free = false } = options;
      emit('adamStep', [D, controlVector], [A, ...moments], { rate, beta1, beta2, epsilon, free });
    },

    countIteration(cost: Tensor, controlVector: Tensor): void {
      requireShape('countIteration', cost, 1, 1);
      emit('countIteration', [cost], [controlVector], {});
    },

    transpose(X: Tensor, options: Into = {}): Tensor {
      const out = output('transpose', X.cols, X.rows, X.batch, options);
      emit('transpose', [X], [out], {});
      return out;
    },

    /** F ← F with columns of unit norm, given G = FᵀF; a zero column is revived with numbers that differ by layer and restart. `cap` only shortens columns longer than 1. */
    normalizeColumns(F: Tensor, G: Tensor, options: { layer?: number; cap?: boolean } = {}): void {
      requireShape('normalizeColumns', G, F.cols, F.cols);
      emit('normalizeColumns', [G], [F], { layer: options.layer ?? 0, cap: options.cap ?? false });
    },

    copy(X: Tensor, into: Tensor): void {
      requireShape('copy', into, X.rows, X.cols);
      emit('copy', [X], [into], {});
    },

    /** The finished program. */
    build(): Program {
      for (const [label, operations] of Object.entries(sections)) checkDefined(name, label, operations);
      return { name, restarts, tensors, sections };
    },
  };
}

/** A transient must be written before it is read, within its own section: memory of transients does not survive between sections. */
function checkDefined(program: string, section: string, operations: readonly Operation[]): void {
  const written = new Set<Tensor>();
  for (const { kind, inputs, outputs } of operations) {
    for (const input of inPlace.has(kind) ? [...inputs, outputs[0]] : inputs) {
      if (input.role === 'transient' && !written.has(input)) {
        throw new ShapeError(
          `Program ${program}, section ${section}: ${kind} reads ${input.name} before anything wrote it; make it a state if it comes from elsewhere.`,
        );
      }
    }
    for (const out of outputs) written.add(out);
  }
}
