/** The shape of a matrix from the first bytes of its file, where it stands there: .npy and .mtx. */

export interface Shape {
  rows: number;
  cols: number;
  /** Of a sparse matrix: the entries that are stored. */
  stored?: number;
}

/** As many bytes hold the header, but for one that nothing needs to be so long. */
const headBytes = 2 ** 16;

/** Undefined where the name is that of another format, or the header cannot be read: whoever reads the file says why. */
export async function shapeIn(file: File): Promise<Shape | undefined> {
  const read = /\.npy$/i.test(file.name) ? ofNpy : /\.mtx$/i.test(file.name) ? ofMtx : undefined;
  if (!read) return undefined;
  const bytes = await file.slice(0, headBytes).arrayBuffer();
  return read(new TextDecoder('latin1').decode(bytes));
}

/** The tuple of the Python dict in the header. */
function ofNpy(head: string): Shape | undefined {
  if (head.slice(1, 6) !== 'NUMPY') return undefined; // the first byte is no letter
  const found = /'shape':\s*\((\d+),\s*(\d*)\)/.exec(head);
  return found ? { rows: Number(found[1]), cols: found[2] === '' ? 1 : Number(found[2]) } : undefined;
}

/** The first line that is no comment. Of a symmetric matrix the file has one triangle. */
function ofMtx(head: string): Shape | undefined {
  const [banner, ...lines] = head.split('\n');
  const [, format, symmetry] = /^%%MatrixMarket\s+matrix\s+(coordinate|array)\s+\S+\s+(\S+)/i.exec(banner) ?? [];
  if (!format) return undefined;
  // The last line may be cut off.
  const sizes = lines.slice(0, -1).find((line) => line.trim() !== '' && !line.startsWith('%'));
  const [rows, cols, entries] = (sizes ?? '').trim().split(/\s+/).map(Number);
  if (!(rows > 0 && cols > 0)) return undefined;
  if (format.toLowerCase() === 'array') return { rows, cols };
  return entries >= 0 ? { rows, cols, stored: symmetry.toLowerCase() === 'general' ? entries : 2 * entries } : undefined;
}
