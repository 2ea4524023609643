/** The columns of one rank, and the panels that it has them in. */
import { InputError } from '../errors.js';
import type { Communicator } from './communicator.js';

/** Columns `from` up to `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Share extends Range {
  /** M, the columns of all ranks. */
  readonly cols: number;
  /** Of this rank; all are `width` columns wide but the last. */
  readonly panels: readonly Range[];
  readonly width: number;
  readonly communicator: Communicator;
}

/** The columns of rank r of P: as equal numbers as can be, in the order of the ranks. */
export function columnsOfRank(cols: number, rank: number, size: number): Range {
  return { from: Math.floor((cols * rank) / size), to: Math.floor((cols * (rank + 1)) / size) };
}

/** Bytes of a panel of f32 where nobody chose: enough for its products to cost more than its way to the device. */
const panelBytes = 2 ** 25;

/**
 * The share of a rank, in panels of `panelColumns`. Left out, a panel takes about 32 MiB as a dense one. Panels are made equally wide, as
 * far as their number allows.
 *
 * @throws InputError for fewer columns than ranks.
 */
export function shareOf(
  { rows, cols }: { rows: number; cols: number },
  communicator: Communicator,
  panelColumns = Math.max(1, Math.floor(panelBytes / (4 * rows))),
): Share {
  const { rank, size } = communicator;
  if (cols < size)
    throw new InputError(`X has ${cols} columns for ${size} ranks, and every rank needs one; start at most ${cols} ranks.`, {
      option: 'X',
    });
  const { from, to } = columnsOfRank(cols, rank, size);
  const count = Math.ceil((to - from) / panelColumns);
  const width = Math.ceil((to - from) / count);
  const panels = Array.from({ length: Math.ceil((to - from) / width) }, (_, p) => ({
    from: from + p * width,
    to: Math.min(to, from + (p + 1) * width),
  }));
  return { cols, from, to, panels, width, communicator };
}
