/** Which topic of the layer above each topic stands under. */
import { InputError } from '../errors.js';

/**
 * The parent of each child, by its number; null for a child that gives nothing to any and that no parent needs. Without `minChildren` each
 * stands under the one it gives most to. With it every parent has at least so many children, and the total that children give to their
 * parents is the largest possible.
 *
 * Why the largest: give every parent `minChildren` places, and fill each place with a child of its own. A child in a place of parent j
 * loses max(given) − given to j against its best parent; a child in no place stands under its best parent, which can only add to the
 * children there. So every allowed assignment is such a filling, its total is Σ max(given) less the losses, and the filling with the
 * smallest loss is a rectangular assignment problem, which `assign` solves exactly.
 *
 * @param given A row for each child, a column for each parent, entries ≥ 0.
 * @throws InputError where there are too few children.
 */
export function parentsOf(given: readonly (readonly number[])[], minChildren = 0): (number | null)[] {
  const best = given.map((row) => row.indexOf(Math.max(...row)));
  const parents: (number | null)[] = best.map((parent, i) => (given[i][parent] > 0 ? parent : null));
  if (minChildren === 0 || given.length === 0) return parents;
  const count = given[0].length;
  checkMinChildren(minChildren, [given.length, count]);
  const places = Array.from({ length: count * minChildren }, (_, place) => place % count);
  const losses = places.map((parent) => given.map((row, i) => row[best[i]] - row[parent]));
  assign(losses).forEach((child, place) => {
    parents[child] = places[place];
  });
  return parents;
}

/** Throws InputError unless layers of these ranks can give every topic so many subtopics. */
export function checkMinChildren(minChildren: number, ranks: readonly number[]): void {
  if (!Number.isSafeInteger(minChildren) || minChildren < 0)
    throw new InputError(`minChildren must be an integer from 0 on, not ${minChildren}.`, { option: 'minChildren' });
  for (let l = 1; l < ranks.length; l++) {
    const needed = ranks[l] * minChildren;
    if (needed <= ranks[l - 1]) continue;
    const most = Math.floor(ranks[l - 1] / ranks[l]);
    throw new InputError(
      `minChildren is ${minChildren}, which takes ${ranks[l]} × ${minChildren} = ${needed} topics below the ${ranks[l]}, but there are ${ranks[l - 1]}; give at most ${most}, or more topics below.`,
      { option: 'minChildren' },
    );
  }
}

/**
 * A column for each row, no column twice, with the smallest sum of costs; there are at least as many columns as rows. The Hungarian method by
 * shortest augmenting paths, O(rows² columns): Kuhn, Naval Research Logistics 1955; Jonker & Volgenant, Computing 1987.
 */
export function assign(costs: readonly (readonly number[])[]): number[] {
  const columns = costs[0]?.length ?? 0;
  const ofRow = new Array<number>(costs.length).fill(0);
  const ofColumn = new Array<number>(columns).fill(0); // potentials: costs − ofRow − ofColumn ≥ 0, and 0 where assigned
  const rowIn = new Array<number>(columns).fill(-1);
  for (let first = 0; first < costs.length; first++) {
    const distance = new Array<number>(columns).fill(Number.POSITIVE_INFINITY);
    const before = new Array<number>(columns).fill(-1);
    const done = new Array<boolean>(columns).fill(false);
    let row = first;
    let column = -1;
    let length = 0;
    for (;;) {
      let next = -1;
      for (let j = 0; j < columns; j++) {
        if (done[j]) continue;
        const through = length + costs[row][j] - ofRow[row] - ofColumn[j];
        if (through < distance[j]) [distance[j], before[j]] = [through, column];
        if (next < 0 || distance[j] < distance[next]) next = j;
      }
      column = next;
      length = distance[column];
      done[column] = true;
      if (rowIn[column] < 0) break;
      row = rowIn[column];
    }
    ofRow[first] += length;
    for (let j = 0; j < columns; j++) {
      if (!done[j] || j === column) continue;
      ofRow[rowIn[j]] += length - distance[j];
      ofColumn[j] -= length - distance[j];
    }
    for (; column >= 0; column = before[column]) rowIn[column] = before[column] < 0 ? first : rowIn[before[column]];
  }
  const result = new Array<number>(costs.length).fill(-1);
  rowIn.forEach((row, j) => {
    if (row >= 0) result[row] = j;
  });
  return result;
}
