/** The suites by name, in the order in which they run. */
import type { Bench } from '../measure.js';
import type { CountRow, Row } from '../rows.js';
import { checkpointSuite } from './checkpoints.js';
import { endToEndSuite } from './end-to-end.js';
import { kernelSuite } from './kernels.js';
import { multiplicativeSuite } from './multiplicative.js';
import type { AdapterSuite } from './names.js';
import { neuralSuite } from './neural.js';
import { nnlsSuite } from './nnls.js';
import { profileSuite } from './profile.js';
import { rooflineSuite } from './roofline.js';
import { scalingSuite } from './scaling.js';
import { sparseSuite } from './sparse.js';
import { trafficSuite } from './traffic.js';

const suites: Record<AdapterSuite, (bench: Bench) => Promise<(Row | CountRow)[]>> = {
  end: endToEndSuite,
  roofline: rooflineSuite,
  kernels: kernelSuite,
  mu: multiplicativeSuite,
  nnls: nnlsSuite,
  neural: neuralSuite,
  sparse: sparseSuite,
  checkpoints: checkpointSuite,
  scaling: scalingSuite,
  traffic: trafficSuite,
  profile: profileSuite,
};

export async function measureSuites(bench: Bench, names: readonly AdapterSuite[]): Promise<{ rows: Row[]; counts: CountRow[] }> {
  const rows: (Row | CountRow)[] = [];
  for (const name of names) {
    const started = performance.now();
    rows.push(...(await suites[name]({ ...bench, progress: (line) => bench.progress(`${name}: ${line}`) })));
    bench.warn(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  const counted = (row: Row | CountRow): row is CountRow => 'counts' in row;
  return { rows: rows.filter((row): row is Row => !counted(row)), counts: rows.filter(counted) };
}
