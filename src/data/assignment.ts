/**
 * The best assignment of rows to columns: each row has a column of its own, and the sum of value(row, column) is the largest.
 *
 * Kuhn & Munkres' Hungarian algorithm by shortest augmenting paths (Jonker & Volgenant, Computing 1987), rows² · columns steps.
 *
 * @returns The column of each row. Needs rows ≤ columns.
 */
export function bestAssignment(rows: number, cols: number, value: (row: number, column: number) => number): number[] {
  // Potentials u of rows and v of columns keep the cost −value − u − v ≥ 0, and 0 where a row has its column. Column `cols` is no column.
  const u = new Float64Array(rows);
  const v = new Float64Array(cols + 1);
  const rowOf = new Int32Array(cols + 1).fill(-1);
  const before = new Int32Array(cols);
  for (let row = 0; row < rows; row++) {
    const shortest = new Float64Array(cols).fill(Number.POSITIVE_INFINITY);
    const seen = new Uint8Array(cols + 1);
    let at = cols;
    rowOf[at] = row;
    while (rowOf[at] >= 0) {
      seen[at] = 1;
      const i = rowOf[at];
      let next = -1;
      for (let j = 0; j < cols; j++) {
        if (seen[j]) continue;
        const length = -value(i, j) - u[i] - v[j];
        if (length < shortest[j]) {
          shortest[j] = length;
          before[j] = at;
        }
        if (next < 0 || shortest[j] < shortest[next]) next = j;
      }
      const delta = shortest[next];
      for (let j = 0; j <= cols; j++) {
        if (seen[j]) {
          u[rowOf[j]] += delta;
          v[j] -= delta;
        } else if (j < cols) shortest[j] -= delta;
      }
      at = next;
    }
    while (at !== cols) {
      rowOf[at] = rowOf[before[at]];
      at = before[at];
    }
  }
  const columns = new Array<number>(rows);
  for (let j = 0; j < cols; j++) if (rowOf[j] >= 0) columns[rowOf[j]] = j;
  return columns;
}
