/** An engine that runs programs over the columns of one rank, in panels. */
import type { DataMatrix } from '../data/sparse.js';
import { disposeKey, type Engine } from '../engine.js';
import { ShapeError } from '../errors.js';
import { byColumns } from '../graph/by-columns.js';
import { type CutProgram, phasesOf } from '../graph/phases.js';
import type { Program } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import { columnRun } from './column-run.js';
import type { Share } from './share.js';

export interface Panels {
  /** Stored entries of every panel of a sparse X. */
  csrEntries?: number;
  /** Panel number p of X in the unit of the fit: as wide as every other, with zeros where there are no columns. */
  panel: (p: number) => Promise<DataMatrix>;
}

/**
 * Programs with data run by columns, and others as they are. A run takes and gives tensors with all columns, those of every rank; X itself it
 * reads from the panels. The engine that it stands on stays the caller's.
 */
export function columnEngine(engine: Engine, share: Share, { csrEntries, panel }: Panels): Engine {
  const dataOf = ({ tensors }: Program) => tensors.find(({ data }) => data);
  const cutOf = (program: Program, X: Tensor): CutProgram => {
    if (X.cols === share.cols) return phasesOf(byColumns(program, X), share.width, csrEntries);
    throw new ShapeError(
      `Program ${program.name} has ${X.cols} columns of ${X.name}, but the columns that are shared out are ${share.cols}.`,
    );
  };
  const ownOf = (program: Program) => {
    const X = dataOf(program);
    return X ? cutOf(program, X).program : program;
  };
  return {
    kind: engine.kind,
    description: engine.description,
    software: engine.software,
    halfInputs: engine.halfInputs,
    // Ranks that go on alone would wait for each other.
    replacesDevice: engine.replacesDevice && share.communicator.size === 1,
    warmup: (program) => engine.warmup(ownOf(program)),
    tune: (options) => engine.tune(options),
    get tuning() {
      return engine.tuning;
    },
    plan: ((program: Program, on?: { profile: string }) =>
      on === undefined ? engine.plan(ownOf(program)) : engine.plan(ownOf(program), on)) as Engine['plan'],
    async prepare(program) {
      const X = dataOf(program);
      if (!X) return engine.prepare(program);
      const cut = cutOf(program, X);
      return columnRun(program, cut, await engine.prepare(cut.program), X, { share, panelOf: panel, adapter: engine.description });
    },
    get liveBuffers() {
      return engine.liveBuffers;
    },
    get liveBytes() {
      return engine.liveBytes;
    },
    get compiledPipelines() {
      return engine.compiledPipelines;
    },
    dispose() {},
    [disposeKey]() {},
  };
}
