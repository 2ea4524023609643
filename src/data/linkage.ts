/** Hierarchical clustering by average linkage (UPGMA). */

export interface Linkage {
  /** The height at which each pair is joined, n×n. */
  cophenetic: Float64Array;
  /** All members, those that are joined early side by side. */
  order: number[];
}

/**
 * Average linkage by chains of nearest neighbours (Murtagh, The Computer Journal 1983), n² steps. Of equal distances the first counts.
 *
 * @param distances n×n, symmetric.
 */
export function averageLinkage(distances: ArrayLike<number>, n: number): Linkage {
  const d = Float64Array.from(distances);
  const cophenetic = new Float64Array(n * n);
  const members = Array.from({ length: n }, (_, i): number[] => [i]);
  const alive = new Set(members.keys());
  const chain: number[] = [];
  while (alive.size > 1) {
    if (chain.length === 0) chain.push(alive.values().next().value!);
    const top = chain[chain.length - 1];
    // Where the one before is as near as any, the two are each other's nearest.
    let nearest = chain[chain.length - 2] ?? -1;
    for (const other of alive) {
      if (other !== top && (nearest < 0 || d[top * n + other] < d[top * n + nearest])) nearest = other;
    }
    if (nearest !== chain[chain.length - 2]) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    const [to, from] = nearest < top ? [nearest, top] : [top, nearest];
    const height = d[to * n + from];
    for (const a of members[to]) for (const b of members[from]) cophenetic[a * n + b] = cophenetic[b * n + a] = height;
    const [ofTo, ofFrom] = [members[to].length, members[from].length];
    for (const other of alive) {
      if (other === to || other === from) continue;
      const mean = (ofTo * d[to * n + other] + ofFrom * d[from * n + other]) / (ofTo + ofFrom);
      d[to * n + other] = d[other * n + to] = mean;
    }
    members[to] = members[to].concat(members[from]);
    alive.delete(from);
  }
  return { cophenetic, order: n === 0 ? [] : members[alive.values().next().value!] };
}

/** Pearson's correlation over the pairs i < j of two symmetric n×n matrices; 1 where one of them is the same in all pairs. */
export function pairCorrelation(a: ArrayLike<number>, b: ArrayLike<number>, n: number): number {
  let [count, ofA, ofB] = [0, 0, 0];
  const pairs = (visit: (at: number) => void) => {
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) visit(i * n + j);
  };
  pairs((at) => {
    count++;
    ofA += a[at];
    ofB += b[at];
  });
  let [aa, bb, ab] = [0, 0, 0];
  pairs((at) => {
    const [x, y] = [a[at] - ofA / count, b[at] - ofB / count];
    aa += x * x;
    bb += y * y;
    ab += x * y;
  });
  const least = 1e-24 * count; // what is left of equal numbers after rounding
  return aa <= least || bb <= least ? 1 : ab / Math.sqrt(aa * bb);
}
