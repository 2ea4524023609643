/**
 * A program on the columns of one rank, panel after panel. What an iteration needs of all columns are sums (graph/by-columns.ts): every panel
 * adds its part in f64 on the host, in the order of the panels, and the ranks join theirs. So the bits follow from the panels and the ranks.
 */
import type { Content } from '../data/content.js';
import type { DataMatrix } from '../data/sparse.js';
import { isSparse } from '../data/sparse.js';
import { disposeKey, type Run } from '../engine.js';
import { DisposedError, InputError } from '../errors.js';
import { type Operation, readOutputs } from '../graph/operations.js';
import type { CutProgram, Phase, Reduction } from '../graph/phases.js';
import type { Program } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import { type Entries, partOf, putPart } from './column-store.js';
import type { Range, Share } from './share.js';

/** What a pass over the panels does: the sections, what each panel brings along and takes away, the parts of sums that it adds. */
interface Pass {
  readsX: boolean;
  reads: readonly Tensor[];
  writes: readonly Tensor[];
  sums: readonly Tensor[];
}

/** A run that also gives what it has of one panel. */
export interface ColumnRun extends Run {
  /** The entries of a tensor by columns in panel number p of this rank: every restart, row-major, `widthOf` columns wide. */
  panel(tensor: Tensor, p: number): Promise<Entries>;
  widthOf(tensor: Tensor): number;
}

/** @param panelOf Panel number p of X in the unit of the fit, with zeros where it is narrower than the others. */
export function columnRun(
  given: Program,
  cut: CutProgram,
  run: Run,
  X: Tensor,
  share: Share,
  panelOf: (p: number) => Promise<DataMatrix>,
): ColumnRun {
  const { panels, communicator } = share;
  const resident = panels.length === 1;
  const ownX = cut.tensorOf(X);
  const sources = new Map<Tensor, Reduction['by']>();
  for (const phase of Object.values(cut.phases).flat()) for (const { from, by } of phase.reductions) sources.set(from, by);
  /** Of each tensor by columns that is not on the device for good: its entries, a panel each. */
  const store = new Map<Tensor, Entries[]>();
  /** Sums over the panels of this rank. */
  const summed = new Map<Tensor, Float64Array>();
  let pending: string[] = [];
  let loaded = false;
  let disposed = false;

  async function pass(sections: readonly string[]): Promise<void> {
    const { readsX, reads, writes, sums } = passOf(cut, sections, ownX, sources, resident);
    const totals = sums.map((tensor) => new Float64Array(tensor.rows * tensor.cols * tensor.batch));
    const needsX = readsX && !(resident && loaded);
    let coming = needsX ? panelOf(0) : undefined;
    let before: Promise<void> | undefined;
    for (const [p] of panels.entries()) {
      if (needsX) {
        const content = await coming!;
        run.write(ownX, isSparse(content) ? content : content.data);
        loaded = true;
        // The next panel is on its way while this one is computed.
        if (p + 1 < panels.length) {
          coming = panelOf(p + 1);
          coming.catch(() => {}); // it is awaited in its turn
        }
      }
      for (const tensor of reads) {
        const entries = store.get(tensor)?.[p];
        if (entries) run.write(tensor, entries);
        else run.write(tensor, new Float32Array(tensor.rows * tensor.cols));
      }
      for (const section of sections) run.execute(section);
      const taken = run.sample([...sums, ...writes]);
      taken.catch(() => {});
      await before;
      before = taken.then((read) => {
        sums.forEach((tensor, i) => {
          join(totals[i], read[i], sources.get(tensor)!, p === 0);
        });
        writes.forEach((tensor, i) => {
          keptPanels(tensor)[p] = read[sums.length + i];
        });
      });
      before.catch(() => {});
    }
    await before;
    sums.forEach((tensor, i) => {
      summed.set(tensor, totals[i]);
    });
  }

  const keptPanels = (tensor: Tensor): Entries[] => {
    const known = store.get(tensor);
    if (known) return known;
    const made: Entries[] = [];
    store.set(tensor, made);
    return made;
  };

  async function flush(): Promise<void> {
    if (pending.length === 0) return;
    const sections = pending;
    pending = [];
    await pass(sections);
  }

  async function reduce(reductions: readonly Reduction[]): Promise<void> {
    for (const by of ['sum', 'max'] as const) {
      const own = reductions.filter((one) => one.by === by);
      if (own.length === 0) continue;
      const parts = own.map(({ from }) => summed.get(from)!);
      const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      await communicator.allReduce(all, by);
      at = 0;
      own.forEach(({ to }, i) => {
        run.write(to, all.subarray(at, at + parts[i].length));
        at += parts[i].length;
      });
    }
  }

  async function execute(phases: readonly Phase[]): Promise<void> {
    for (const { whole, columns, reductions } of phases) {
      if (whole) {
        await flush();
        run.execute(whole);
      }
      if (columns) pending.push(columns);
      if (reductions.length === 0) continue;
      await flush();
      await reduce(reductions);
    }
  }

  /** All columns of a tensor: of every panel of every rank. */
  async function gathered(tensor: Tensor, axis: 'rows' | 'cols'): Promise<Entries> {
    const { batch } = tensor;
    const lines = axis === 'cols' ? tensor.rows : tensor.cols;
    const make = (count: number, like?: Entries): Entries => {
      const length = batch * lines * count;
      return like instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
    };
    const parts = resident ? [await run.read(tensor)] : (store.get(tensor) ?? []);
    const count = share.to - share.from;
    const own = make(count, parts[0]);
    const shifted = ({ from, to }: Range, by: number) => ({ from: from - by, to: to - by });
    panels.forEach((range, p) => {
      if (parts[p]) putPart(own, parts[p], tensor, axis, shifted(range, share.from), count);
    });
    if (communicator.size === 1) return own;
    const ofRanks = await communicator.allGather(own);
    const whole = make(share.cols, own);
    let from = 0;
    for (const part of ofRanks) {
      const to = from + part.length / (batch * lines);
      const frame = { ...tensor, [axis]: to - from };
      putPart(whole, part, frame, axis, { from, to }, share.cols);
      from = to;
    }
    return whole;
  }

  let queue: Promise<unknown> = Promise.resolve();
  /** Runs `work` once all before it is done. An error stays: whoever waits next gets it. */
  const then = <T>(work: () => Promise<T> | T): Promise<T> => {
    const next = queue.then(() => {
      if (disposed) throw new DisposedError('This run was disposed; prepare the program again.');
      return work();
    });
    next.catch(() => {});
    queue = next;
    return next;
  };
  const read = (given: Tensor) =>
    then(async () => {
      await flush();
      const tensor = cut.tensorOf(given);
      const axis = cut.columns.get(tensor);
      return axis ? gathered(tensor, axis) : run.read(tensor);
    });
  const phasesOf = (section: string) => {
    const phases = cut.phases[section];
    if (phases) return phases;
    throw new InputError(`Program ${given.name} has no section ${section}; it has ${Object.keys(cut.phases).join(', ')}.`);
  };
  const dispose = () => {
    disposed = true;
    store.clear();
    run.dispose();
  };
  return {
    program: given,
    write(givenTensor, content: Content) {
      const tensor = cut.tensorOf(givenTensor);
      const axis = cut.columns.get(tensor);
      if ('rowStarts' in content || 'coordinates' in content)
        throw new InputError(`${tensor.name} is read from the columns of the fit; it cannot be written.`);
      if (!axis) {
        const entries = Float64Array.from(content);
        void then(async () => {
          await flush();
          run.write(tensor, entries);
        });
        return;
      }
      const parts = panels.map((range) => partOf(content, tensor, axis, range, share.cols));
      void then(async () => {
        await flush();
        if (resident) run.write(tensor, parts[0]);
        else
          store.set(
            tensor,
            parts.map((part) => spreadOver(part, tensor)),
          );
      });
    },
    execute(section, times = 1) {
      const phases = phasesOf(section);
      void then(async () => {
        for (let i = 0; i < times; i++) await execute(phases);
      });
    },
    dispatches: (section) =>
      phasesOf(section)
        .flatMap(({ whole, columns }) => [whole, columns])
        .reduce((sum, own) => sum + (own ? run.dispatches(own) : 0), 0),
    read,
    panel: (givenTensor, p) =>
      then(async () => {
        await flush();
        const tensor = cut.tensorOf(givenTensor);
        return resident ? run.read(tensor) : (store.get(tensor)?.[p] ?? new Float32Array(tensor.rows * tensor.cols * tensor.batch));
      }),
    ...(communicator.size > 1 && {
      // In the queue, where every rank makes its calls in the same order.
      agreed: (own: number) =>
        then(async () => {
          const value = Float64Array.of(own);
          await communicator.allReduce(value, 'max');
          return value[0];
        }),
    }),
    widthOf: (tensor) => cut.tensorOf(tensor).cols,
    sample: (tensors) => Promise.all(tensors.map(read)),
    dispose,
    [disposeKey]: dispose,
  };
}

/** Entries of one restart for every restart of a tensor. */
function spreadOver(entries: Float64Array, { rows, cols, batch }: Tensor): Entries {
  const size = rows * cols;
  if (entries.length === size * batch) return entries;
  const all = new Float64Array(size * batch);
  for (let restart = 0; restart < batch; restart++) all.set(entries, restart * size);
  return all;
}

function join(total: Float64Array, part: Entries, by: Reduction['by'], first: boolean): void {
  for (let i = 0; i < total.length; i++) total[i] = first ? part[i] : by === 'sum' ? total[i] + part[i] : Math.max(total[i], part[i]);
}

function passOf(
  { program, columns, carried }: CutProgram,
  sections: readonly string[],
  X: Tensor,
  sources: ReadonlyMap<Tensor, unknown>,
  resident: boolean,
): Pass {
  const isKept = (tensor: Tensor) => columns.has(tensor) || carried.has(tensor);
  const operations: Operation[] = sections.flatMap((section) => program.sections[section]);
  const written = new Set<Tensor>();
  const reads = new Set<Tensor>();
  let readsX = false;
  for (const operation of operations) {
    for (const tensor of [...operation.inputs, ...readOutputs(operation)]) {
      if (tensor === X) readsX = true;
      else if (isKept(tensor) && !written.has(tensor)) reads.add(tensor);
    }
    for (const tensor of operation.outputs) written.add(tensor);
  }
  const writes = [...written].filter((tensor) => isKept(tensor) && tensor.role === 'state');
  return {
    readsX,
    reads: resident ? [] : [...reads],
    writes: resident ? [] : writes,
    sums: [...written].filter((tensor) => sources.has(tensor)),
  };
}
