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
import type { Communicator } from './communicator.js';
import type { Share } from './share.js';

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

export interface ColumnRunOptions {
  share: Share;
  /** Panel number p of X in the unit of the fit, with zeros where it is narrower than the others. */
  panelOf: (p: number) => Promise<DataMatrix>;
  /** The adapter of this rank. Where those of the ranks differ, rank 0 tells all others its whole tensors. */
  adapter: string;
}

export function columnRun(given: Program, cut: CutProgram, run: Run, X: Tensor, { share, panelOf, adapter }: ColumnRunOptions): ColumnRun {
  const { panels, communicator } = share;
  const held = panelsHeld(cut, run, cut.tensorOf(X), share, panelOf);
  let disposed = false;
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
  let alike = true;
  if (communicator.size > 1)
    void then(async () => {
      alike = new Set(await communicator.texts(adapter)).size === 1;
    });
  async function execute(phases: readonly Phase[]): Promise<void> {
    for (const { whole, columns, reductions } of phases) {
      if (whole) {
        await held.flush();
        run.execute(whole);
        if (!alike) await tellWhole(run, cut.program.sections[whole], communicator);
      }
      if (columns) held.add(columns);
      if (reductions.length === 0) continue;
      await held.flush();
      await joinSums(run, reductions, held.summed, { communicator, alike });
    }
  }
  const read = (givenTensor: Tensor) =>
    then(async () => {
      await held.flush();
      const tensor = cut.tensorOf(givenTensor);
      const axis = cut.columns.get(tensor);
      if (!axis) return run.read(tensor);
      const parts: (Entries | undefined)[] = [];
      for (const p of panels.keys()) parts.push(await held.read(tensor, p));
      // Ranks that gather have entries of one kind.
      return gathered(tensor, axis, alike ? parts : parts.map((part) => part && Float32Array.from(part)), share);
    });
  const phasesOf = (section: string) => {
    const phases = cut.phases[section];
    if (phases) return phases;
    throw new InputError(`Program ${given.name} has no section ${section}; it has ${Object.keys(cut.phases).join(', ')}.`);
  };
  const dispose = () => {
    disposed = true;
    held.clear();
    run.dispose();
  };
  return {
    program: given,
    write(givenTensor, content: Content) {
      const tensor = cut.tensorOf(givenTensor);
      const axis = cut.columns.get(tensor);
      if ('rowStarts' in content || 'coordinates' in content)
        throw new InputError(`${tensor.name} is read from the columns of the fit; it cannot be written.`);
      const parts = axis ? panels.map((range) => partOf(content, tensor, axis, range, share.cols)) : [Float64Array.from(content)];
      void then(async () => {
        await held.flush();
        if (axis) held.write(tensor, parts);
        else run.write(tensor, parts[0]);
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
        await held.flush();
        const tensor = cut.tensorOf(givenTensor);
        return (await held.read(tensor, p)) ?? new Float32Array(tensor.rows * tensor.cols * tensor.batch);
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

/** The panels of a rank: what goes by columns, and the sections that are still to be done with every panel. */
interface PanelsHeld {
  /** Sums over the panels, by the tensors that hold their parts. */
  readonly summed: ReadonlyMap<Tensor, Float64Array>;
  /** Puts a section behind those that wait. */
  add(section: string): void;
  /** One pass over the panels with all sections that wait. */
  flush(): Promise<void>;
  /** A panel of a tensor, undefined where nothing was written to it. */
  read(tensor: Tensor, p: number): Promise<Entries | undefined>;
  write(tensor: Tensor, parts: readonly Float64Array[]): void;
  clear(): void;
}

/** One panel stays on the device. Of several each has its turn there, and the host keeps their tensors. */
function panelsHeld(cut: CutProgram, run: Run, X: Tensor, { panels }: Share, panelOf: (p: number) => Promise<DataMatrix>): PanelsHeld {
  const resident = panels.length === 1;
  const sources = new Map<Tensor, Reduction['by']>();
  for (const phase of Object.values(cut.phases).flat()) for (const { from, by } of phase.reductions) sources.set(from, by);
  const store = new Map<Tensor, Entries[]>();
  const summed = new Map<Tensor, Float64Array>();
  let pending: string[] = [];
  let loaded = false;
  const keptPanels = (tensor: Tensor): Entries[] => {
    const known = store.get(tensor) ?? [];
    store.set(tensor, known);
    return known;
  };

  async function pass(sections: readonly string[]): Promise<void> {
    const { readsX, reads, writes, sums } = passOf(cut, sections, X, sources, resident);
    const totals = sums.map((tensor) => new Float64Array(tensor.rows * tensor.cols * tensor.batch));
    const needsX = readsX && !(resident && loaded);
    let coming = needsX ? panelOf(0) : undefined;
    let before: Promise<void> | undefined;
    for (const p of panels.keys()) {
      if (needsX) {
        const content = await coming!;
        run.write(X, isSparse(content) ? content : content.data);
        loaded = true;
        // The next panel is on its way while this one is computed.
        if (p + 1 < panels.length) {
          coming = panelOf(p + 1);
          coming.catch(() => {}); // it is awaited in its turn
        }
      }
      for (const tensor of reads) run.write(tensor, store.get(tensor)?.[p] ?? new Float32Array(tensor.rows * tensor.cols));
      for (const section of sections) run.execute(section);
      const taken = run.sample([...sums, ...writes]);
      taken.catch(() => {});
      await before;
      before = taken.then((read) => {
        for (const [i, tensor] of sums.entries()) join(totals[i], read[i], sources.get(tensor)!, p === 0);
        for (const [i, tensor] of writes.entries()) keptPanels(tensor)[p] = read[sums.length + i];
      });
      before.catch(() => {});
    }
    await before;
    for (const [i, tensor] of sums.entries()) summed.set(tensor, totals[i]);
  }

  return {
    summed,
    add: (section) => void pending.push(section),
    async flush() {
      if (pending.length === 0) return;
      const sections = pending;
      pending = [];
      await pass(sections);
    },
    read: async (tensor, p) => (resident ? run.read(tensor) : store.get(tensor)?.[p]),
    write(tensor, parts) {
      if (resident) run.write(tensor, parts[0]);
      else
        store.set(
          tensor,
          parts.map((part) => spreadOver(part, tensor)),
        );
    },
    clear: () => store.clear(),
  };
}

/** The sums of every rank become one, and go to the tensors that hold the whole; in f32 where another rank may not keep more. */
async function joinSums(
  run: Run,
  reductions: readonly Reduction[],
  summed: ReadonlyMap<Tensor, Float64Array>,
  { communicator, alike }: { communicator: Communicator; alike: boolean },
): Promise<void> {
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
    if (!alike) all.set(Float32Array.from(all));
    at = 0;
    for (const [i, { to }] of own.entries()) {
      run.write(to, all.subarray(at, at + parts[i].length));
      at += parts[i].length;
    }
  }
}

/**
 * What operations wrote becomes that of rank 0. Adapters of one kind give the same bits. Others round differently, and a step that one rank
 * keeps and another one drops would end the fit.
 */
async function tellWhole(run: Run, operations: readonly Operation[], communicator: Communicator): Promise<void> {
  const written = [...new Set(operations.flatMap(({ outputs }) => outputs))].filter(({ role }) => role === 'state');
  if (written.length === 0) return;
  const own = await run.sample(written);
  const all = new Float32Array(own.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of own) {
    all.set(part, at);
    at += part.length;
  }
  await communicator.broadcast(all);
  at = 0;
  // On rank 0, too: the f64 reference goes on with what the others were told.
  for (const [i, tensor] of written.entries()) {
    run.write(tensor, Float64Array.from(all.subarray(at, at + own[i].length)));
    at += own[i].length;
  }
}

/** All columns of a tensor: of every panel of every rank. */
async function gathered(tensor: Tensor, axis: 'rows' | 'cols', parts: readonly (Entries | undefined)[], share: Share): Promise<Entries> {
  const { batch } = tensor;
  const { panels, communicator } = share;
  const lines = axis === 'cols' ? tensor.rows : tensor.cols;
  const make = (count: number, like?: Entries): Entries => {
    const length = batch * lines * count;
    return like instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
  };
  const count = share.to - share.from;
  const own = make(
    count,
    parts.find((part) => part !== undefined),
  );
  for (const [p, { from, to }] of panels.entries()) {
    const part = parts[p];
    if (part) putPart(own, part, tensor, axis, { from: from - share.from, to: to - share.from }, count);
  }
  if (communicator.size === 1) return own;
  const whole = make(share.cols, own);
  let from = 0;
  for (const part of await communicator.allGather(own)) {
    const to = from + part.length / (batch * lines);
    putPart(whole, part, { ...tensor, [axis]: to - from }, axis, { from, to }, share.cols);
    from = to;
  }
  return whole;
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
