/** Lowering of products with a CSR tensor and of its residual: gathers over stored entries, on the side of X whose lines make the result. */
import type { OperationOf } from '../../graph/operations.js';
import type { Tensor } from '../../graph/tensor.js';
import { csrSides, type Side, segment } from '../layout/csr-layout.js';
import { byteLength, restartStep, strideOf } from '../layout/layout.js';
import { chooseSparse } from '../plan/choose.js';
import type { AdapterFacts, Forced } from '../plan/planner.js';
import type { FusedProduct } from '../steps/step.js';
import { type Dispatch, perItem, type Scratch, standIn, vectors } from './dispatch.js';
import { entryValues, epilogueOf, epilogues, terms } from './names.js';
import { foldLevels } from './reduce.js';

/** The dense factor with a row for each place on a line of op(X): as it stands, or transposed into scratch memory. */
interface Gathered {
  D: Tensor | Scratch;
  /** Columns, and vec4 per row and from one restart to the next. */
  k: number;
  stride: number;
  batchStep: number;
  prepare: Dispatch[];
}

/** op(A) op(B) where one factor is CSR: a row of op(X) makes a row of the result, or (where X is the second factor) a column. */
export function sparseProduct(
  { inputs, outputs, attributes }: OperationOf<'matmul'> | FusedProduct,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const [A, B, E] = inputs;
  const [C] = outputs;
  const { transposeA, transposeB, scale, addScale, pattern = false } = attributes;
  const second = B.form === 'csr';
  const X = second ? B : A;
  const { plain, transposed } = csrSides(X);
  // (op(A) X)ᵀ = Xᵀ op(A)ᵀ: the lines are those of the other side.
  const side = (second ? !transposeB : transposeA) ? transposed : plain;
  const gathered = second ? gatherable(A, !transposeA, facts) : gatherable(B, transposeB, facts);
  const ending = { E, SCALE: scale, EPILOGUE: epilogueOf(attributes), ADD_SCALE: addScale };
  return [...gathered.prepare, ...gathers(X, side, gathered, { C, makes: second ? 'columns' : 'rows', pattern, ...ending }, facts, forced)];
}

interface GatherInto {
  C: Tensor;
  /** Whether a line of op(X) makes a row of C or a column. */
  makes: 'rows' | 'columns';
  /** In place of the stored values: one for each entry of the side, in its order. */
  values?: Tensor;
  /** Whether every stored entry counts as 1. */
  pattern?: boolean;
  E?: Tensor;
  /** Whether E is one row for all lines. */
  oneRow?: boolean;
  SCALE: number;
  EPILOGUE: number;
  ADD_SCALE: number;
}

/**
 * The tails of the lines of one side, then the lines themselves. A Gram matrix for each line has k² columns, so products with a pattern take
 * them in turns, with no more memory for tails than the result has.
 */
function gathers(
  X: Tensor,
  side: Side,
  gathered: Gathered,
  { C, makes, values, pattern = false, E, oneRow = false, ...ending }: GatherInto,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const { D, k, stride } = gathered;
  const turns = pattern ? Math.max(1, Math.ceil(side.tails / side.lines)) : 1;
  const tiles = Math.ceil(stride / turns);
  const all = Array.from({ length: Math.ceil(stride / tiles) }, (_, turn) => [turn * tiles, Math.min(tiles, stride - turn * tiles)]);
  const shared = { ...gatherConstants(side, gathered), VALUES: values ? entryValues.OWN : pattern ? entryValues.ONES : entryValues.STORED };
  const tails: Scratch = { scratch: 1, bytes: Math.max(16, side.tails * tiles * 16 * C.batch) };
  const both = { X, D, tails, values: values ?? standIn(D) };
  const operands = { ...both, E: E ?? standIn(D), C };
  const shape = { lines: side.lines, entries: X.entries, k, restarts: C.batch, makes };
  return all.flatMap(([first, count]) => {
    const turn = { ...shared, FIRST_TILE: first, TILES: count };
    const sums = side.tails === 0 ? [] : [perItem('sparse/tails', side.tails * count, C.batch, both, turn, facts)];
    const numbers = { ...turn, ...ending, ONE_ROW: oneRow ? 1 : 0, TAILS: side.tails };
    const items = (makes === 'columns' ? strideOf(C) : side.lines) * count;
    const { workgroup } = chooseSparse(shape, items * C.batch, facts, forced);
    const product =
      makes === 'columns'
        ? perItem('sparse/product-transposed', items, C.batch, operands, { ...numbers, K: k }, facts, workgroup)
        : perItem('sparse/product', items, C.batch, operands, numbers, facts, workgroup);
    return [...sums, product];
  });
}

/** (X / (AZ)) Zᵀ or Aᵀ (X / (AZ)): the quotients first, by the lines that make the result. */
export function quotientProduct(
  { inputs: [X, A, Z], outputs: [C, values], attributes: { of } }: OperationOf<'quotientProduct'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  return ofEntries('sparse/quotients', [X, A, Z, values], { C, makes: of, ...plainEnding }, facts, forced);
}

/** (P∘(AZ)) Zᵀ or Aᵀ (P∘(AZ)): AZ at the stored entries first, by the lines that make the result. */
export function sampledProduct(
  { inputs: [X, A, Z], outputs: [C, values], attributes: { of } }: OperationOf<'sampledProduct'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  return ofEntries('sparse/products', [X, A, Z, values], { C, makes: of, ...plainEnding }, facts, forced);
}

/** The same, where the product ends in the update of Z or A by one row of denominators. */
export function quotientUpdate(
  { inputs: [X, other, E], outputs: [C, values], attributes: { of } }: OperationOf<'quotientUpdate'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const [A, Z] = of === 'rows' ? [C, other] : [other, C];
  const ending = { C, makes: of, E, oneRow: true, SCALE: 1, EPILOGUE: epilogues.UPDATE, ADD_SCALE: 1 };
  return ofEntries('sparse/quotients', [X, A, Z, values], ending, facts, forced);
}

/** (X∘(AZ)^p) Zᵀ or Aᵀ (X∘(AZ)^p), likewise. */
export function poweredProduct(
  { inputs: [X, A, Z], outputs: [C, values], attributes: { of, p, q } }: OperationOf<'poweredProduct'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  return ofEntries('sparse/powers', [X, A, Z, values], { C, makes: of, ...plainEnding }, facts, forced, { P: p, Q: q });
}

/** Rows of D that one invocation adds up as a rule: enough to pay for its line, and few enough for many invocations. */
const rowsOfPart = 1024;

/** The most parts, each of which takes memory for a result. */
const mostParts = 16;

/** (L Dᵀ)^p D: parts of the sum, then the parts. */
export function powerProduct(
  { inputs: [L, D], outputs: [out], attributes: { p, q } }: OperationOf<'powerProduct'>,
  facts: AdapterFacts,
): Dispatch[] {
  const chunk = Math.max(rowsOfPart, Math.ceil(D.rows / mostParts));
  const parts = Math.ceil(D.rows / chunk);
  const partials: Tensor | Scratch = parts === 1 ? out : { scratch: 0, bytes: byteLength(out) * parts };
  const numbers = { TILES: strideOf(L) / 4, LINES: L.rows, PLACES: D.rows, CHUNK: chunk, PARTS: parts, P: p, Q: q };
  const sums = perItem('sparse/power-product', L.rows * parts, out.batch, { L, D, partials }, numbers, facts);
  if (partials === out) return [sums];
  const finish = { SCALE: 1, EPILOGUE: epilogues.NONE, ADD_SCALE: 1, SPLITS: parts, COUNT: vectors(out) };
  return [sums, perItem('reduce/sum-partials', vectors(out), out.batch, { partials, E: standIn(L), C: out }, finish, facts)];
}

const plainEnding = { SCALE: 1, EPILOGUE: epilogues.NONE, ADD_SCALE: 1 };

/** A kernel makes `values` of X and AZ at the stored entries, and their product with A or Z follows. */
function ofEntries(
  kernel: 'sparse/quotients' | 'sparse/products' | 'sparse/powers',
  [X, A, Z, values]: readonly Tensor[],
  into: Omit<GatherInto, 'values'>,
  facts: AdapterFacts,
  forced: Forced,
  powers: { P: number; Q: number } = { P: 1, Q: 0 },
): Dispatch[] {
  const { plain, transposed } = csrSides(X);
  const side = into.makes === 'rows' ? plain : transposed;
  const turned = gatherable(Z, true, facts);
  const asItIs = gatherable(A, false, facts);
  const [line, gathered] = into.makes === 'rows' ? [asItIs, turned] : [turned, asItIs];
  const numbers = { ...gatherConstants(side, gathered), L_BATCH: line.batchStep, ENTRIES: X.entries };
  const operands = { X, L: line.D, D: gathered.D, values };
  const [items, batch] = [side.lines + side.tails, into.C.batch];
  const entries =
    kernel === 'sparse/powers'
      ? perItem(kernel, items, batch, operands, { ...numbers, ...powers }, facts)
      : perItem(kernel, items, batch, operands, numbers, facts);
  return [...turned.prepare, entries, ...gathers(X, side, gathered, { ...into, values }, facts, forced)];
}

/** Σ x log(x / (AZ)) − x over the stored entries. */
export function divergenceAtEntries(
  { inputs, outputs: [out] }: OperationOf<'divergenceAtEntries'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  return sumOverEntries('sparse/divergence', inputs, out, facts, forced);
}

/** Σ (x − (AZ))² over the stored entries. */
export function residualAtEntries(
  { inputs, outputs: [out] }: OperationOf<'residualAtEntries'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  return sumOverEntries('sparse/squares', inputs, out, facts, forced);
}

/** Σ (x^p − p x v^{p−1}) / (p (p − 1)) over the stored entries. */
export function betaDivergenceAtEntries(
  { inputs, outputs: [out], attributes: { p, q } }: OperationOf<'betaDivergenceAtEntries'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  return sumOverEntries('sparse/beta-divergence', inputs, out, facts, forced, { P: p, Q: q });
}

/** A kernel adds up terms of X and AZ at the stored entries, one partial sum a segment. */
function sumOverEntries(
  kernel: 'sparse/divergence' | 'sparse/squares' | 'sparse/beta-divergence',
  [X, A, Z]: readonly Tensor[],
  out: Tensor,
  facts: AdapterFacts,
  forced: Forced,
  powers: { P: number; Q: number } = { P: 1, Q: 0 },
): Dispatch[] {
  const side = csrSides(X).plain;
  const gathered = gatherable(Z, true, facts);
  const items = side.lines + side.tails;
  const batchStride = Math.ceil(items / 4) * 4;
  const partials: Scratch = { scratch: 1, bytes: batchStride * out.batch * 4 };
  const numbers = {
    ...gatherConstants(side, gathered),
    L_BATCH: gatherable(A, false, facts).batchStep,
    OUT_BATCH: batchStride,
  };
  const operands = { X, L: A, D: gathered.D, partials };
  const sums =
    kernel === 'sparse/beta-divergence'
      ? perItem(kernel, items, out.batch, operands, { ...numbers, ...powers }, facts)
      : perItem(kernel, items, out.batch, operands, numbers, facts);
  return [
    ...gathered.prepare,
    sums,
    ...foldLevels(
      { from: partials, count: items, batchStride, batch: out.batch, out, map: terms.PARTIALS, maximum: false, level: 0 },
      facts,
      forced,
    ),
  ];
}

/** ‖X − AZ‖² from the stored entries and the Gram matrices AᵀA and ZZᵀ: see shaders/sparse/residual.wgsl. */
export function sparseResidual({ inputs, outputs }: OperationOf<'residualNorm'>, facts: AdapterFacts): Dispatch[] {
  const [X, A, Z, G, Q] = inputs;
  const [out] = outputs;
  const side = csrSides(X).plain;
  const gathered = gatherable(Z, true, facts);
  const items = gathered.k + side.lines + side.tails;
  const batchStride = Math.ceil(items / 4) * 4;
  const partials: Scratch = { scratch: 1, bytes: batchStride * out.batch * 4 };
  const numbers = { ...gatherConstants(side, gathered), K: gathered.k, OUT_BATCH: batchStride };
  return [
    ...gathered.prepare,
    perItem('sparse/residual', items, out.batch, { X, D: gathered.D, A, G, Q, partials }, numbers, facts),
    ...foldLevels(
      { from: partials, count: items, batchStride, batch: out.batch, out, map: terms.PARTIALS, maximum: false, level: 0 },
      facts,
    ),
  ];
}

function gatherable(F: Tensor, transpose: boolean, facts: AdapterFacts): Gathered {
  if (!transpose) return { D: F, k: F.cols, stride: strideOf(F) / 4, batchStep: restartStep(F) / 4, prepare: [] };
  const turned = { rows: F.cols, cols: F.rows };
  const stride = strideOf(turned) / 4;
  const D: Scratch = { scratch: 0, bytes: turned.rows * stride * 16 * F.batch };
  const batchStep = F.batch === 1 ? 0 : turned.rows * stride;
  const numbers = { ROWS: F.rows, COLS: F.cols, OUT_STRIDE: stride, OUT_BATCH: batchStep };
  const prepare = perItem('elementwise/transpose', (strideOf(F) / 4) * stride, F.batch, { X: F, out: D }, numbers, facts);
  return { D, k: F.rows, stride, batchStep, prepare: [prepare] };
}

function gatherConstants({ lines, linesAt, entriesAt, tailsAt }: Side, { stride, batchStep }: Gathered) {
  return {
    LINES: lines,
    LINES_AT: linesAt,
    ENTRIES_AT: entriesAt,
    TAILS_AT: tailsAt,
    SEGMENT: segment,
    D_BATCH: batchStep,
    D_STRIDE: stride,
  };
}
