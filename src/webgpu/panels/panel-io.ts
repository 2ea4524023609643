/** How the host writes and reads tensors that are stored as panels: a panel at a time, so that no copy of the whole is padded. */
import { type Content, checkContent } from '../../data/content.js';
import type { Tensor } from '../../graph/tensor.js';
import { batchStrideOf, checkEntries, strideOf, unpad } from '../layout/layout.js';
import type { Panelled, Piece } from './panels.js';

/** A panel's share of row-major entries in the device layout; one copy of them fills every restart. */
export function padPanel(panel: Piece, content: Content): Float32Array<ArrayBuffer> {
  const { whole } = panel;
  checkContent(whole, content);
  const entries = content as ArrayLike<number>;
  checkEntries(whole, entries);
  const size = whole.rows * whole.cols;
  const stride = strideOf(panel);
  const padded = new Float32Array(batchStrideOf(panel) * panel.batch);
  for (let restart = 0; restart < panel.batch; restart++) {
    const from = (entries.length === size ? 0 : restart * size) + panel.firstCol;
    const to = restart * batchStrideOf(panel);
    for (let i = 0; i < panel.rows; i++) {
      const row = from + (panel.firstRow + i) * whole.cols;
      for (let j = 0; j < panel.cols; j++) padded[to + i * stride + j] = entries[row + j];
    }
  }
  return padded;
}

/** The row-major entries of a tensor, from its panels. */
function joinPanels(whole: Tensor, panels: readonly Piece[], parts: readonly Float32Array[]): Float32Array {
  const entries = new Float32Array(whole.rows * whole.cols * whole.batch);
  panels.forEach((panel, p) => {
    const stride = strideOf(panel);
    for (let row = 0; row < panel.rows * panel.batch; row++) {
      const restart = Math.floor(row / panel.rows);
      const to = (restart * whole.rows + panel.firstRow + (row % panel.rows)) * whole.cols + panel.firstCol;
      entries.set(parts[p].subarray(row * stride, row * stride + panel.cols), to);
    }
  });
  return entries;
}

/**
 * Row-major entries of tensors as they are at this point of the queue. A tensor in panels may be larger than any buffer can be, so each of
 * its panels is a read of its own; the others share one.
 */
export async function readTensors(
  tensors: readonly Tensor[],
  panelled: ReadonlyMap<Tensor, Panelled>,
  read: (tensors: readonly Tensor[]) => Promise<Float32Array[]>,
): Promise<Float32Array[]> {
  const small = tensors.filter((tensor) => !panelled.has(tensor));
  const together = small.length > 0 ? read(small) : [];
  const apart = tensors.map((tensor) => Promise.all(panelled.get(tensor)?.panels.map((panel) => read([panel])) ?? []));
  const [parts, ofPanels] = await Promise.all([together, Promise.all(apart)]);
  return tensors.map((tensor, i) => {
    const panels = panelled.get(tensor)?.panels;
    return panels ? joinPanels(tensor, panels, ofPanels[i].flat()) : unpad(tensor, parts[small.indexOf(tensor)]);
  });
}
